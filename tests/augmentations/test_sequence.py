import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from medssl_bench.augmentations import Op, Sequence
from medssl_bench.augmentations.ops import (
    ColorJitter,
    GaussianBlur,
    GaussianNoise,
    HorizontalFlip,
    Resize,
    ResizedCrop,
    Sharpness,
)
from medssl_bench.errors import UserError

IMAGES = torch.rand(32, 3, 20, 20, generator=torch.Generator().manual_seed(0))
STRONG = ((0.5, 1.5), (0.5, 1.5), (0.5, 1.5), (-0.1, 0.1))


def sequence() -> Sequence:
    jitter = ColorJitter(*STRONG, p=0.8)
    return Sequence([HorizontalFlip(0.5), ResizedCrop(16), jitter, GaussianBlur(), Sharpness(), GaussianNoise()], 16)


def drawn_by(kind: type[Op], ops: list[Op]) -> Tensor:
    """Return the numbers that the last op of a kind is given in a view."""
    seen: list[Tensor] = []
    chosen = next(op for op in reversed(ops) if type(op) is kind)
    hook = chosen.register_forward_pre_hook(lambda _, given: seen.append(given[1]))
    Sequence(ops, 16).view(IMAGES, 7)
    hook.remove()
    return seen[0]


def test_the_same_key_gives_the_same_view() -> None:
    assert torch.equal(sequence().view(IMAGES, 5), sequence().view(IMAGES, 5))
    assert not torch.equal(sequence().view(IMAGES, 5), sequence().view(IMAGES, 6))


def test_every_image_of_a_batch_is_drawn_for_itself() -> None:
    same = IMAGES[:1].expand_as(IMAGES)
    assert len(sequence().view(same, 5).flatten(1).unique(dim=0)) == len(IMAGES)


def test_forward_draws_its_key_from_torchs_global_generator() -> None:
    torch.manual_seed(1)
    first, second = sequence()(IMAGES), sequence()(IMAGES)
    torch.manual_seed(1)
    assert torch.equal(sequence()(IMAGES), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize(
    "other",
    [
        lambda blur: [HorizontalFlip(0.5), blur],
        lambda blur: [blur, HorizontalFlip(0.5)],
        lambda blur: [GaussianNoise(), Sharpness(), blur, ColorJitter(*STRONG)],
        lambda blur: [GaussianBlur(5, p=0.0), blur],
        lambda blur: [blur, GaussianBlur(5)],
    ],
    ids=["one before", "one after", "several around", "the same with p = 0 before", "the same after"],
)
def test_other_ops_do_not_change_what_an_op_draws(other: Callable[[Op], list[Op]]) -> None:
    class Watched(GaussianBlur):
        pass

    Watched.__name__ = "GaussianBlur"  # streams are named after the op
    alone = drawn_by(Watched, [Watched()])
    assert torch.equal(drawn_by(Watched, other(Watched())), alone)


def test_two_ops_of_one_kind_have_streams_of_their_own() -> None:
    first, second = (drawn_by(GaussianBlur, ops) for ops in ([GaussianBlur()], [GaussianBlur(), GaussianBlur()]))
    assert not torch.equal(first, second)


def test_another_number_of_images_does_not_change_a_view() -> None:
    torch.testing.assert_close(sequence().view(IMAGES[:5], 5), sequence().view(IMAGES, 5)[:5], atol=1e-6, rtol=0)


def test_without_intensity_the_geometry_is_the_same() -> None:
    geometry = Sequence([HorizontalFlip(0.5), ResizedCrop(16)], 16).view(IMAGES, 5)
    assert torch.equal(sequence().view(IMAGES, 5, intensity=False), geometry)


def test_no_global_generator_is_touched() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    sequence().view(IMAGES, 5)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert np.array_equal(np.random.get_state()[1], before[2])  # noqa: NPY002


def test_a_whole_view_compiles_into_one_graph_with_the_key_as_a_tensor() -> None:
    module = sequence()
    expected = [module.view(IMAGES, key) for key in (5, 6)]
    torch._dynamo.reset()
    compiled = torch.compile(module.view, fullgraph=True, backend="eager")
    for key, view in zip((5, 6), expected, strict=True):
        torch.testing.assert_close(compiled(IMAGES, torch.tensor(key)), view)


def test_what_is_not_an_op_is_refused() -> None:
    with pytest.raises(UserError, match="Identity is not an op of the harness"):
        Sequence([Resize(16), nn.Identity()], 16)  # type: ignore[list-item]
