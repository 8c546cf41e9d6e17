"""What holds for every op."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
)

from medssl_bench.augmentations import Op, ops
from medssl_bench.augmentations.ops import (
    Affine,
    ColorJitter,
    Equalize,
    Erase,
    Gamma,
    GaussianBlur,
    GaussianNoise,
    Grayscale,
    HorizontalFlip,
    Resize,
    ResizedCrop,
    Rotate90,
    Sharpness,
    Solarize,
    VerticalFlip,
)

FACTOR, HUE = (0.0, 3.0), (-0.5, 0.5)
EVERY: list[Op] = [
    Affine((-180, 180), 0.5, (0.5, 2.0), p=0.5),
    ColorJitter(FACTOR, FACTOR, FACTOR, HUE, p=0.5),
    ColorJitter(FACTOR, FACTOR, FACTOR, HUE, order="random", p=0.5),
    Equalize(),
    Equalize(rule="equation"),
    Erase(),
    Gamma(p=0.5),
    GaussianBlur(p=0.5),
    GaussianNoise((0.0, 2.0), p=0.5),
    Grayscale(0.5),
    Grayscale(0.5, "luma"),
    HorizontalFlip(0.5),
    Resize(12),
    ResizedCrop(12),
    ResizedCrop(12, scale_of="side", antialias=False),
    Rotate90(0.5),
    Sharpness((0.0, 20.0), p=0.5),
    Solarize(),
    VerticalFlip(0.5),
]
every_op = pytest.mark.parametrize("op", EVERY, ids=lambda op: type(op).__name__)


def pictures(kind: str, shape: tuple[int, ...], seed: int) -> Tensor:
    random = torch.rand(shape, generator=torch.Generator().manual_seed(seed))
    return {
        "noise": random,
        "black": torch.zeros(shape),
        "white": torch.ones(shape),
        "one colour": random[:, :, :1, :1].expand(shape),
        "primaries": random.round(),
        "dark": random / 255,
        "grey": random[:, :1].expand(shape),
        "channels last": random.contiguous(memory_format=torch.channels_last),
    }[kind]


KINDS = ["noise", "black", "white", "one colour", "primaries", "dark", "grey", "channels last"]


def test_every_op_is_tested_here() -> None:
    assert {type(op).__name__ for op in EVERY} == set(ops.__all__)


@every_op
@given(
    kind=st.sampled_from(KINDS),
    channels=st.sampled_from([1, 3]),
    side=st.sampled_from([12, 17]),
    seed=st.integers(0, 2**32),
    edge=st.sampled_from([None, 0.0, 1 - 2.0**-24]),
)
def test_values_stay_between_0_and_1(
    op: Op, kind: str, channels: int, side: int, seed: int, edge: float | None
) -> None:
    images = pictures(kind, (4, channels, side, side), seed)
    before = images.clone()
    uniforms = torch.rand(4, 1 + op.draws(channels, side, side), generator=torch.Generator().manual_seed(seed + 1))
    if edge is not None:
        uniforms[:, 1:] = edge
    views = op(images, uniforms)
    out = 12 if isinstance(op, Resize | ResizedCrop) else side
    assert views.shape == (4, channels, out, out)
    assert views.dtype == torch.float32
    assert bool(((views >= 0) & (views <= 1)).all())  # false for what is not a number, too
    assert torch.equal(images, before)


@every_op
def test_an_image_does_not_depend_on_the_batch_around_it(op: Op) -> None:
    images = torch.rand(33, 3, 12, 12)
    uniforms = torch.rand(33, 1 + op.draws(3, 12, 12))
    together = op(images, uniforms)
    torch.testing.assert_close(op(images[7:9], uniforms[7:9]), together[7:9], atol=1e-6, rtol=0)


@every_op
def test_nothing_waits_for_the_device(op: Op) -> None:
    """Fake tensors have no values: reading one, branching on one or a shape that depends on one is an error."""
    with FakeTensorMode():
        images = torch.rand(4, 3, 12, 12, device="cuda")
        views = op(images, torch.rand(4, 1 + op.draws(3, 12, 12), device="cuda"))
    assert views.device.type == "cuda"
    assert views.shape == images.shape


@every_op
def test_it_compiles_into_one_graph(op: Op) -> None:
    torch._dynamo.reset()
    images = torch.rand(4, 3, 12, 12)
    uniforms = torch.rand(4, 1 + op.draws(3, 12, 12))
    compiled = torch.compile(op, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(images, uniforms), op(images, uniforms))


class ReadsANumber(Op):
    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        return images * images.mean().item()


class BranchesOnAValue(Op):
    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        return images if images.mean() > 0.5 else 1 - images


class PicksByMask(Op):
    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        return images * images[images > 0.5].mean()


@pytest.mark.parametrize("op", [ReadsANumber(), BranchesOnAValue(), PicksByMask()], ids=lambda op: type(op).__name__)
def test_an_op_that_waits_would_be_found(op: Op) -> None:
    with FakeTensorMode(), pytest.raises((DataDependentOutputException, DynamicOutputShapeException)):
        op(torch.rand(4, 3, 12, 12, device="cuda"), torch.rand(4, 1, device="cuda"))
