"""A plugin whose augmentations and ops draw once for a batch, or look at the whole batch, each in its own way."""

import torch
from torch import nn

from medssl_bench import hookimpl
from medssl_bench.augmentations import Op


def torchvision(size: int):
    """Crops and flips, once in a call."""
    from torchvision.transforms import v2

    return v2.Compose([v2.RandomResizedCrop(size), v2.RandomHorizontalFlip()])


def kornia(size: int):
    """Crops and flips, the same in the whole batch."""
    import kornia.augmentation as K

    return K.AugmentationSequential(
        K.RandomResizedCrop((size, size)), K.RandomHorizontalFlip(), data_keys=["input"], same_on_batch=True
    )


def kornia_flip(size: int):
    """Flips the same images of a batch, among much that each image has of its own."""
    import kornia.augmentation as K

    return K.AugmentationSequential(
        K.RandomResizedCrop((size, size), scale=(0.08, 1.0)),
        K.RandomHorizontalFlip(p=0.5, same_on_batch=True),
        K.ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8),
        K.RandomGrayscale(p=0.2),
        K.RandomGaussianBlur((3, 3), (0.1, 2.0), p=0.5),
    )


class Seldom(nn.Module):
    """Turns whole batches over, one in ten."""

    def __init__(self, size):
        super().__init__()
        self.resize = nn.AdaptiveAvgPool2d(size)

    def forward(self, images):
        return self.resize(images.flip(-1) if torch.rand(()) < 0.1 else images)


class Mixing(nn.Module):
    """Mixes each image with another of the batch."""

    def __init__(self, size):
        super().__init__()
        self.resize = nn.AdaptiveAvgPool2d(size)

    def forward(self, images):
        share = torch.rand(len(images), 1, 1, 1)
        return self.resize(images * share + images[torch.randperm(len(images))] * (1 - share))


class FirstRow(Op):
    """Darkens all images by the first one's number."""

    def draws(self, channels, height, width):
        return 1

    def transform(self, images, uniforms):
        return images * uniforms[:1, :1, None, None]


class LastCoin(Op):
    """Acts where the last image does."""

    def forward(self, images, uniforms):
        return images.flip(-1) if self.p < 1 and float(uniforms[-1, 0]) < self.p else images


class MeanOfBatch(Op):
    """Takes off the mean of the batch."""

    def transform(self, images, uniforms):
        return (images - images.mean(dim=0) + 0.5).clamp(0, 1)


class Brightest(Op):
    """Stretches by the brightest image of the batch."""

    def transform(self, images, uniforms):
        return images / images.amax().clamp(min=0.1)


def seldom(size: int):
    """Acts once in ten batches."""
    return Seldom(size)


def mixing(size: int):
    """Mixes images."""
    return Mixing(size)


def first_row(size: int):
    """Has one draw for all."""
    return FirstRow()


def last_coin(size: int):
    """Has one coin for all."""
    return LastCoin(p=0.5)


def mean_of_batch(size: int):
    """Normalises by the batch."""
    return MeanOfBatch()


def brightest(size: int):
    """Stretches by the batch."""
    return Brightest()


@hookimpl
def medssl_augmentations(register):
    for name, factory in (
        ("torchvision", torchvision),
        ("kornia", kornia),
        ("kornia-flip", kornia_flip),
        ("seldom", seldom),
        ("mixing", mixing),
    ):
        register(name, factory)


@hookimpl
def medssl_ops(register):
    for name, factory in (
        ("first-row", first_row),
        ("last-coin", last_coin),
        ("mean-of-batch", mean_of_batch),
        ("brightest", brightest),
    ):
        register(name, factory)
