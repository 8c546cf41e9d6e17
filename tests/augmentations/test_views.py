import random
from collections.abc import Callable

import kornia.augmentation as K
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from medssl_bench.augmentations import Sequence
from medssl_bench.augmentations.ops import HorizontalFlip, ResizedCrop, Sharpness
from medssl_bench.augmentations.views import draw_view, has_own_streams
from medssl_bench.errors import UserError

IMAGES = torch.rand(8, 3, 20, 20)


def kornia_container() -> nn.Module:
    return K.AugmentationSequential(K.RandomResizedCrop((16, 16)), K.RandomHorizontalFlip(), K.ColorJiggle(0.2, 0.2))


class Returns(nn.Module):
    def __init__(self, make: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.make = make

    def forward(self, images: Tensor) -> object:
        return self.make(images)


def test_a_sequence_draws_from_its_own_streams() -> None:
    module = Sequence([HorizontalFlip(0.5), ResizedCrop(16), Sharpness()], 16)
    assert has_own_streams(module)
    assert torch.equal(draw_view(module, IMAGES, 4), module.view(IMAGES, 4))
    assert torch.equal(draw_view(module, IMAGES, 4, intensity=False), module.view(IMAGES, 4, intensity=False))


def test_a_kornia_container_is_reproducible_and_leaves_the_global_generators_alone() -> None:
    module = kornia_container()
    assert not has_own_streams(module)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    first = draw_view(module, IMAGES, 4)
    torch.rand(3)
    assert torch.equal(draw_view(module, IMAGES, 4), first)
    assert not torch.equal(draw_view(module, IMAGES, 5), first)
    torch.set_rng_state(before[0])
    draw_view(module, IMAGES, 6)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert np.array_equal(np.random.get_state()[1], before[2])  # noqa: NPY002


def test_geometry_alone_is_refused_where_it_cannot_be_had() -> None:
    with pytest.raises(UserError, match="AugmentationSequential, which cannot leave them out"):
        draw_view(kornia_container(), IMAGES, 4, intensity=False)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: [x], "gave list, not a tensor"),
        (lambda x: x[:4], r"shape \(4, 3, 20, 20\), not \(8, 3, size, size\)"),
        (lambda x: x[..., :10], r"shape \(8, 3, 20, 10\)"),
        (lambda x: x.mean(), r"shape \(\)"),
        (lambda x: x.double(), "torch.float64 on cpu, not of torch.float32"),
        (lambda x: x * 255, "values from .* to 2.*; views are in"),
        (lambda x: x / 0 * 0, "values from nan to nan"),
    ],
)
def test_what_is_not_a_view_is_refused_in_one_line(make: Callable[[Tensor], object], message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        draw_view(Returns(make), IMAGES, 4)
    assert "\n" not in str(error.value)


def test_a_sequence_that_does_not_lead_to_its_size_is_refused() -> None:
    with pytest.raises(UserError, match=r"shape \(8, 3, 20, 20\), not \(8, 3, 16, 16\)"):
        draw_view(Sequence([HorizontalFlip()], 16), IMAGES, 4)
