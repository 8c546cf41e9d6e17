import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp, kstest
from torchvision.transforms import v2
from torchvision.transforms.v2.functional import resized_crop

from medssl_bench.augmentations.ops import ResizedCrop
from medssl_bench.augmentations.ops.boxes import TRIES

unit = st.floats(0, 1, exclude_max=True, width=32)


def drawn(op: ResizedCrop, count: int, height: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, op.draws(3, height, width), generator=torch.Generator().manual_seed(seed))


def same_distribution(expected: list[float], ours: torch.Tensor) -> bool:
    return bool(ks_2samp(expected, ours.double().numpy(), method="asymp").pvalue > 1e-3)


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize(
    ("height", "width", "size"), [(28, 28, 28), (64, 64, 28), (28, 28, 64), (224, 224, 32), (33, 47, 20), (12, 9, 31)]
)
def test_a_crop_is_torchvisions_of_the_same_box(height: int, width: int, size: int, antialias: bool) -> None:
    op = ResizedCrop(size, antialias=antialias)
    images, uniforms = torch.rand(24, 3, height, width), drawn(op, 24, height, width)
    boxes = torch.stack(op.boxes(uniforms, height, width), dim=1).int().tolist()
    expected = [
        resized_crop(image, *box, size=[size, size], antialias=antialias)
        for image, box in zip(images, boxes, strict=True)
    ]
    torch.testing.assert_close(op.transform(images, uniforms), torch.stack(expected), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("height", "width"), [(28, 28), (10, 100), (100, 16)])
def test_boxes_are_distributed_as_torchvisions(height: int, width: int) -> None:
    """In the long images a box often fits at no try, and the central crop is taken."""
    count = 4000
    op, theirs = ResizedCrop(28), v2.RandomResizedCrop(28)
    torch.manual_seed(0)
    image = torch.empty(3, height, width)
    expected = [theirs.make_params([image]) for _ in range(count)]
    boxes = op.boxes(drawn(op, count, height, width), height, width)
    for name, ours in zip(("top", "left", "height", "width"), boxes, strict=True):
        assert same_distribution([box[name] for box in expected], ours), name
    areas = [box["height"] * box["width"] for box in expected]
    assert same_distribution(areas, boxes[2] * boxes[3])
    ratios = [box["width"] / box["height"] for box in expected]
    assert same_distribution(ratios, boxes[3].double() / boxes[2].double())


def test_the_first_candidate_that_fits_is_taken() -> None:
    op = ResizedCrop(28, scale=(0.08, 1.0))
    uniforms = torch.zeros(1, op.draws(3, 28, 28))
    areas, ratios = uniforms[:, 2 : 2 + TRIES], uniforms[:, 2 + TRIES :]
    areas[:], ratios[:] = 0.999, 0.0  # all but the whole area, 3 by 4: too high
    areas[0, 4], ratios[0, 4] = 0.5, 0.5
    areas[0, 7] = 0.1
    side = round(math.sqrt(0.54) * 28)
    assert [float(value) for value in op.boxes(uniforms, 28, 28)] == [0, 0, side, side]


@pytest.mark.parametrize(
    ("height", "width", "box"), [(10, 100, (0, 43, 10, 13)), (100, 10, (43, 0, 13, 10)), (10, 10, (0, 0, 10, 10))]
)
def test_the_central_crop_is_taken_where_no_box_fits(height: int, width: int, box: tuple[int, int, int, int]) -> None:
    op = ResizedCrop(28, scale=(1.0, 1.0), ratio=(3 / 4, 4 / 3))
    uniforms = torch.zeros(1, op.draws(3, height, width))
    assert tuple(int(value) for value in op.boxes(uniforms, height, width)) == box


def test_the_side_reading_scales_both_sides_by_one_factor() -> None:
    """Eq. (3.2): f(x[a w, b h]) = x[i + a s w, j + b s h], here with i and j whole and the box rounded to pixels."""
    op = ResizedCrop(28, scale=(0.08, 1.0), scale_of="side")
    uniforms = drawn(op, 20_000, 100, 200)
    top, left, height, width = op.boxes(uniforms, 100, 200)
    factor = 0.08 + 0.92 * uniforms[:, 2]
    assert torch.equal(height, (100 * factor).round())
    assert torch.equal(width, (200 * factor).round())
    for start, length, total in ((top, height, 100), (left, width, 200)):
        short = length < total / 5  # so many places that they are all but continuous
        assert kstest(((start + 0.5) / (total + 1 - length))[short].numpy(), "uniform").pvalue > 1e-3


@given(
    height=st.integers(1, 80),
    width=st.integers(1, 80),
    scale_of=st.sampled_from(["area", "side"]),
    low=st.floats(0.001, 1),
    uniforms=st.lists(unit, min_size=2 + 2 * TRIES, max_size=2 + 2 * TRIES),
)
def test_boxes_are_whole_and_inside_the_image(
    height: int, width: int, scale_of: str, low: float, uniforms: list[float]
) -> None:
    op = ResizedCrop(8, scale=(low, 1.0), scale_of=scale_of)  # type: ignore[arg-type]
    top, left, tall, wide = (float(value) for value in op.boxes(torch.tensor([uniforms]), height, width))
    assert all(value.is_integer() for value in (top, left, tall, wide))
    assert 0 <= top <= top + tall <= height
    assert 0 <= left <= left + wide <= width
    assert tall >= 1
    assert wide >= 1
