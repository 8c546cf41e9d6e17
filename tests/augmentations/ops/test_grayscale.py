import numpy as np
import torch
from PIL import Image

from medssl_bench.augmentations.ops import Grayscale
from medssl_bench.augmentations.ops.grayscale import luma

NOTHING = torch.empty(2, 0)


def test_mean_is_equation_3_4() -> None:
    images = torch.rand(2, 3, 5, 5)
    grey = Grayscale().transform(images, NOTHING)
    for channel in range(3):
        np.testing.assert_allclose(grey[:, channel].numpy(), images.double().sum(1).numpy() / 3, atol=1e-6)


def test_luma_is_pillows() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    theirs = np.stack([np.asarray(Image.fromarray(picture).convert("L")) for picture in pictures])
    grey = Grayscale(weights="luma").transform(torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255, NOTHING)
    assert np.abs(grey.numpy() * 255 - theirs[:, None]).max() <= 0.51


def test_grey_images_stay_as_they_are() -> None:
    images = torch.rand(2, 1, 5, 5)
    assert torch.equal(Grayscale().transform(images, NOTHING), images)
    assert torch.equal(luma(images), images)
    torch.testing.assert_close(luma(images.expand(-1, 3, -1, -1)), images)
