import kornia.color
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageOps

from medssl_bench.augmentations.ops import Equalize
from medssl_bench.augmentations.ops.pillow_ycbcr import to_rgb, to_ycbcr

NOTHING = torch.empty(1, 0)
levels = st.one_of(
    arrays(np.uint8, (28, 28)),
    arrays(np.uint8, (28, 28), elements=st.sampled_from([3, 7, 200])),
    arrays(np.uint8, (5, 7)),
    arrays(np.uint8, (40, 40), elements=st.integers(90, 120)),
)


def grey(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture)[None, None] / 255


def colourful(side: int) -> np.ndarray:
    """Return a smooth RGB picture, whose luma takes many levels."""
    y, x = np.mgrid[:side, :side] / side
    return (255 * np.stack([x, (x + y) / 2, 0.2 + 0.6 * y], axis=-1) ** 1.5).astype(np.uint8)


@given(picture=levels)
def test_the_table_is_pillows_exactly(picture: np.ndarray) -> None:
    theirs = np.asarray(ImageOps.equalize(Image.fromarray(picture)))
    ours = Equalize().transform(grey(picture), NOTHING)[0, 0]
    assert np.array_equal((ours * 255).round().numpy(), theirs)


@given(picture=levels)
def test_the_equation_is_floor_of_255_cdf(picture: np.ndarray) -> None:
    histogram = np.bincount(picture.ravel(), minlength=256)
    table = [255 * int(histogram[: level + 1].sum()) // picture.size for level in range(256)]
    ours = Equalize(rule="equation").transform(grey(picture), NOTHING)[0, 0]
    assert np.array_equal((ours * 255).round().numpy(), np.array(table)[picture])


def test_of_the_equation_only_y_of_ycbcr_changes() -> None:
    torch.manual_seed(0)
    images = torch.rand(4, 3, 20, 20, dtype=torch.float64)  # whole levels would lie on the edge of rounding
    ycbcr = kornia.color.rgb_to_ycbcr(images)
    rounded = (ycbcr[:, :1] * 255).round() / 255
    equalized = Equalize(rule="equation").transform(rounded, NOTHING)
    expected = kornia.color.ycbcr_to_rgb(torch.cat([equalized, ycbcr[:, 1:]], dim=1))
    ours = Equalize(rule="equation").transform(images, NOTHING)
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0)


pictures = st.one_of(
    arrays(np.uint8, (28, 28, 3)),
    arrays(np.uint8, (9, 31, 3), elements=st.integers(60, 140)),
    st.integers(2, 70).map(colourful),
    st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).integers(0, 256, (28, 28, 3), np.uint8)),
)


def pillows(picture: np.ndarray) -> np.ndarray:
    """Return a picture whose Y Pillow has equalised."""
    y, cb, cr = Image.fromarray(picture).convert("YCbCr").split()
    return np.asarray(Image.merge("YCbCr", (ImageOps.equalize(y), cb, cr)).convert("RGB"))


@settings(deadline=None)
@given(picture=pictures)
def test_a_colour_image_is_pillows_to_the_digit(picture: np.ndarray) -> None:
    images = torch.from_numpy(picture).permute(2, 0, 1)[None] / 255
    ours = Equalize().transform(images, NOTHING)[0].permute(1, 2, 0) * 255
    assert np.abs(ours.numpy() - pillows(picture)).max() < 1e-3


def test_the_conversion_is_pillows_for_every_colour() -> None:
    levels = torch.arange(256)
    for first in range(0, 256, 64):
        grid = torch.stack(torch.meshgrid(levels[first : first + 64], levels, levels, indexing="ij"))
        channels = grid.reshape(1, 3, -1, 256).float()
        picture = channels[0].permute(1, 2, 0).numpy().astype(np.uint8)
        ours = torch.cat(to_ycbcr(channels), dim=1)[0].permute(1, 2, 0).numpy()
        assert np.array_equal(ours, np.asarray(Image.fromarray(picture).convert("YCbCr")))
        back = to_rgb(*channels.split(1, dim=1))[0].permute(1, 2, 0).numpy()
        assert np.array_equal(back, np.asarray(Image.fromarray(picture, "YCbCr").convert("RGB")))


def test_equalising_each_channel_would_be_another_thing() -> None:
    images = torch.from_numpy(colourful(64)).permute(2, 0, 1)[None] / 255
    by_channel = torch.cat([Equalize().transform(channel, NOTHING) for channel in images.split(1, dim=1)], dim=1)
    assert (Equalize().transform(images, NOTHING) - by_channel).abs().mean() > 0.05


@pytest.mark.parametrize("rule", ["pillow", "equation"])
def test_rgb_copies_of_a_grey_image_stay_grey(rule: str) -> None:
    images = grey(np.random.default_rng(1).integers(0, 256, (28, 28), dtype=np.uint8))
    one = Equalize(rule=rule).transform(images, NOTHING)  # type: ignore[arg-type]
    three = Equalize(rule=rule).transform(images.expand(-1, 3, -1, -1), NOTHING)  # type: ignore[arg-type]
    torch.testing.assert_close(three, three[:, :1].expand(-1, 3, -1, -1), atol=1e-6, rtol=0)
    # Pillow cuts Y, so that of some greys it is a level too dark, which may be a step of the table
    torch.testing.assert_close(three[:, :1], one, atol=3 / 255 if rule == "pillow" else 1e-6, rtol=0)


def _with_region(**parameters: object) -> tuple[Equalize, torch.Tensor]:
    op = Equalize(**parameters)  # type: ignore[arg-type]
    uniforms = torch.rand(6, op.draws(3, 32, 32), generator=torch.Generator().manual_seed(3))
    return op, uniforms


@pytest.mark.parametrize("rule", ["pillow", "equation"])
def test_a_region_is_equalised_by_its_own_histogram_and_the_rest_stays(rule: str) -> None:
    pictures = np.random.default_rng(2).integers(40, 200, (6, 64, 64), dtype=np.uint8)
    op = Equalize(rule=rule, region=(0.2, 0.5))  # type: ignore[arg-type]
    uniforms = torch.rand(6, op.draws(1, 64, 64), generator=torch.Generator().manual_seed(3))
    images = torch.from_numpy(pictures)[:, None] / 255
    found = (op.transform(images, uniforms)[:, 0] * 255).round().numpy().astype(np.uint8)
    boxes = op._boxes(uniforms, 64, 64)[:, 0].numpy()
    for picture, ours, box in zip(pictures, found, boxes, strict=True):
        assert 0.15 < box.mean() < 0.55
        rows, columns = np.flatnonzero(box.any(1)), np.flatnonzero(box.any(0))
        inside = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert box[inside].all(), "it is a box"
        assert np.array_equal(ours[~box], picture[~box])
        region = picture[inside]
        if rule == "pillow":
            expected = np.asarray(ImageOps.equalize(Image.fromarray(region)))
        else:
            table = 255 * np.bincount(region.ravel(), minlength=256).cumsum() // region.size
            expected = table[region]
        assert np.array_equal(ours[inside], expected)


def test_a_region_that_is_all_of_the_image_is_the_image() -> None:
    images = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    op, uniforms = _with_region(region=(0.999, 1.0))
    whole = op._boxes(uniforms, 32, 32).flatten(1).all(1)
    assert whole.any()
    expected = Equalize().transform(images, NOTHING)
    torch.testing.assert_close(op.transform(images, uniforms)[whole], expected[whole])


def test_strength_is_the_part_of_the_change_that_is_made() -> None:
    images = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.25
    change = Equalize().transform(images, NOTHING) - images
    unclipped = (images + change > 0) & (images + change < 1)
    half = Equalize(strength=(0.5, 0.5)).transform(images, NOTHING) - images
    torch.testing.assert_close(half[unclipped], (0.5 * change)[unclipped], atol=1e-6, rtol=0)
    assert torch.equal(Equalize(strength=(0.0, 0.0)).transform(images, NOTHING), images)
    op, uniforms = _with_region(strength=(0.2, 0.8))
    assert uniforms.shape[1] == 1
    drawn = (0.2 + 0.6 * uniforms[:, 0])[:, None, None, None].expand_as(change)
    torch.testing.assert_close(
        (op.transform(images, uniforms) - images)[unclipped], (drawn * change)[unclipped], atol=1e-6, rtol=0
    )


def test_a_whole_image_at_full_strength_needs_no_numbers() -> None:
    assert Equalize().draws(3, 28, 28) == 0
    assert Equalize(strength=(0.1, 1.0), region=(0.1, 0.5)).draws(3, 28, 28) == 23
