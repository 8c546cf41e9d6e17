import torch
from torchvision.transforms.v2 import functional as tv

from medssl_bench.augmentations.ops import HorizontalFlip, VerticalFlip


def test_flips_are_torchvisions() -> None:
    images, nothing = torch.rand(4, 3, 5, 7), torch.empty(4, 0)
    assert torch.equal(HorizontalFlip().transform(images, nothing), tv.horizontal_flip(images))
    assert torch.equal(VerticalFlip().transform(images, nothing), tv.vertical_flip(images))


def test_the_coin_decides_image_by_image() -> None:
    images = torch.rand(4, 3, 5, 7)
    coins = torch.tensor([[0.0], [0.29], [0.3], [0.9]])
    flipped = HorizontalFlip(0.3)(images, coins)
    assert torch.equal(flipped[:2], images[:2].flip(-1))
    assert torch.equal(flipped[2:], images[2:])
