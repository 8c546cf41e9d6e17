import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance
from scipy.stats import chisquare, kstest
from torchvision.transforms.v2 import functional as tv

from medssl_bench.augmentations.ops import ColorJitter
from medssl_bench.augmentations.ops.hue import shift_hue

LIMITS = {"brightness": (0.5, 1.5), "contrast": (0.5, 1.5), "saturation": (0.5, 1.5), "hue": (-0.1, 0.1)}
ADJUST = (tv.adjust_brightness, tv.adjust_contrast, tv.adjust_saturation, tv.adjust_hue)
LUMA_SLACK = 5e-4  # torchvision rounds red's weight to 0.2989


def expected(image: torch.Tensor, uniforms: list[float], order: list[int]) -> torch.Tensor:
    values = [low + u * (high - low) for u, (low, high) in zip(uniforms, LIMITS.values(), strict=False)]
    for step in order:
        image = ADJUST[step](image, values[step])
    return image


def test_fixed_order_is_brightness_contrast_saturation_hue_of_torchvision() -> None:
    op = ColorJitter(**LIMITS)  # type: ignore[arg-type]
    images, uniforms = torch.rand(64, 3, 9, 9), torch.rand(64, op.draws(3, 9, 9))
    wanted = [expected(x, u, [0, 1, 2, 3]) for x, u in zip(images, uniforms.tolist(), strict=True)]
    torch.testing.assert_close(op.transform(images, uniforms), torch.stack(wanted), atol=LUMA_SLACK, rtol=0)


def test_random_order_is_torchvisions_in_the_order_that_the_numbers_say() -> None:
    op = ColorJitter(**LIMITS, order="random")  # type: ignore[arg-type]
    images, uniforms = torch.rand(200, 3, 9, 9), torch.rand(200, op.draws(3, 9, 9))
    wanted = []
    for image, numbers in zip(images, uniforms.tolist(), strict=True):
        order = sorted(range(3), key=lambda blend: numbers[4 + blend])
        order.insert(int(4 * numbers[7]), 3)
        wanted.append(expected(image, numbers, order))
    torch.testing.assert_close(op.transform(images, uniforms), torch.stack(wanted), atol=LUMA_SLACK, rtol=0)


def test_all_24_orders_are_equally_likely() -> None:
    """With factors that do not vary, the result tells the order."""
    op = ColorJitter((1.7, 1.7), (1.8, 1.8), (2.5, 2.5), (0.3, 0.3), order="random")
    torch.manual_seed(3)
    images = torch.rand(3, 5, 5).expand(4800, 3, 5, 5)
    results = op.transform(images, torch.rand(4800, op.draws(3, 5, 5)))
    _, counts = np.unique((results.flatten(1) * 1e3).round().numpy(), axis=0, return_counts=True)
    assert len(counts) == 24
    assert chisquare(counts).pvalue > 1e-3


def test_factors_are_uniform_between_their_limits() -> None:
    op = ColorJitter(brightness=(0.5, 1.5))
    images = torch.full((5000, 3, 1, 1), 0.5)
    factors = op.transform(images, torch.rand(5000, 4))[:, 0, 0, 0] / 0.5
    assert kstest(factors.numpy(), "uniform", args=(0.5, 1.0)).pvalue > 1e-3


@pytest.mark.parametrize("turns", [-0.5, -0.37, -0.1, 0.0, 0.04, 0.25, 0.5])
def test_hue_is_torchvisions(turns: float) -> None:
    images = torch.rand(16, 3, 8, 8)
    images[:4] = images[:4].round()  # primaries, secondaries, black and white
    images[4] = images[4, :1]  # grey
    shifted = shift_hue(images, torch.full((16,), turns))
    torch.testing.assert_close(shifted, tv.adjust_hue(images, turns), atol=1e-5, rtol=0)
    torch.testing.assert_close(shifted[4], images[4], atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("name", "enhancer"),
    [("brightness", ImageEnhance.Brightness), ("contrast", ImageEnhance.Contrast), ("saturation", ImageEnhance.Color)],
)
@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 1.4])
def test_each_factor_means_what_it_means_in_pillow(name: str, enhancer: type, factor: float) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    theirs = np.asarray(enhancer(Image.fromarray(picture)).enhance(factor)).astype(float)
    images = torch.from_numpy(picture).permute(2, 0, 1)[None] / 255
    ours = ColorJitter(**{name: (factor, factor)}).transform(images, torch.zeros(1, 4))  # type: ignore[arg-type]
    assert np.abs(ours[0].permute(1, 2, 0).numpy() * 255 - theirs).max() < 1.6


@pytest.mark.parametrize("order", ["fixed", "random"])
def test_unit_factors_change_nothing(order: str) -> None:
    images = torch.rand(8, 3, 7, 7)
    op = ColorJitter(order=order)  # type: ignore[arg-type]
    assert torch.equal(op.transform(images, torch.rand(8, op.draws(3, 7, 7))), images)


def test_grey_images_have_neither_saturation_nor_hue() -> None:
    images = torch.rand(8, 1, 7, 7)
    uniforms = torch.rand(8, 4)
    both = ColorJitter(**LIMITS).transform(images, uniforms)  # type: ignore[arg-type]
    rest = ColorJitter(LIMITS["brightness"], LIMITS["contrast"]).transform(images, uniforms)
    assert torch.equal(both, rest)
    assert not torch.equal(both, images)
