import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance
from scipy.ndimage import convolve
from scipy.stats import kstest
from torchvision.transforms.v2.functional import adjust_sharpness

from medssl_bench.augmentations.ops import Sharpness

KERNEL = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13  # eq. (4.4)


def test_it_is_equation_4_5_with_a_copied_border() -> None:
    images, uniforms = torch.rand(32, 3, 11, 9), torch.rand(32, 1)
    ours = Sharpness((0.0, 10.0)).transform(images, uniforms)
    for image, alpha, result in zip(images.double().numpy(), 10 * uniforms[:, 0].double().numpy(), ours, strict=True):
        expected = image.copy()
        smooth = np.stack([convolve(channel, KERNEL) for channel in image])
        inner = (slice(None), slice(1, -1), slice(1, -1))
        expected[inner] = (smooth * (1 - alpha) + image * alpha)[inner]
        np.testing.assert_allclose(result.numpy(), expected.clip(0, 1), atol=1e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, 3.0, 10.0])
def test_it_is_torchvisions(alpha: float) -> None:
    images = torch.rand(4, 3, 28, 28)
    ours = Sharpness((alpha, alpha)).transform(images, torch.zeros(4, 1))
    torch.testing.assert_close(ours, adjust_sharpness(images, alpha), atol=1e-5, rtol=0)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, 2.0])
def test_it_is_pillows_up_to_its_8_bit_rounding(alpha: float) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    theirs = np.asarray(ImageEnhance.Sharpness(Image.fromarray(picture)).enhance(alpha)).astype(float)
    images = torch.from_numpy(picture).permute(2, 0, 1)[None] / 255
    ours = Sharpness((alpha, alpha)).transform(images, torch.zeros(1, 1))
    assert np.abs(ours[0].permute(1, 2, 0).numpy() * 255 - theirs).max() < 1.6


def test_alpha_is_uniform() -> None:
    images = torch.zeros(5000, 1, 3, 3)
    images[:, :, 1, 1] = 0.013
    centre = Sharpness((1.0, 10.0)).transform(images, torch.rand(5000, 1))[:, 0, 1, 1]
    alpha = (centre / 0.013 - 5 / 13) * 13 / 8
    assert kstest(alpha.numpy(), "uniform", args=(1.0, 9.0)).pvalue > 1e-3


def test_an_image_that_is_all_border_is_copied() -> None:
    images = torch.rand(2, 3, 2, 9)
    assert torch.equal(Sharpness().transform(images, torch.rand(2, 1)), images)
