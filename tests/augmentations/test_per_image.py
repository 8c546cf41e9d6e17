"""Augmentations that draw once for a batch are told from those that draw for each image, seldom or never."""

from __future__ import annotations

import kornia.augmentation as K
import pytest
import torch
from torch import nn
from torchvision.transforms import v2

from medssl_bench.augmentations import Op, Sequence
from medssl_bench.augmentations.builtin import GEOMETRY, INTENSITY
from medssl_bench.augmentations.per_image import copies, require_own_draws, shared_draws
from medssl_bench.errors import StageError
from medssl_bench.plugin.manager import load_plugins

SIZE = 28
REGISTRY = load_plugins().registry
SEQUENCES = ["plain", "simclr", *sorted(name for name in REGISTRY.entries["augmentation"] if name.startswith("tau_"))]


class ForEachImage(nn.Module):
    def __init__(self, transform):
        super().__init__()
        self.transform = transform

    def forward(self, images):
        return torch.stack([self.transform(image) for image in images])


def kornia(shared: str) -> nn.Module:
    """Return SimCLR's distortions, of which one or none is the same in a batch."""
    same = {name: name == shared for name in ("crop", "flip", "jitter", "grey", "blur")}
    return K.AugmentationSequential(
        K.RandomResizedCrop((SIZE, SIZE), scale=(0.08, 1.0), same_on_batch=same["crop"]),
        K.RandomHorizontalFlip(p=0.5, same_on_batch=same["flip"]),
        K.ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8, same_on_batch=same["jitter"]),
        K.RandomGrayscale(p=0.2, same_on_batch=same["grey"]),
        K.RandomGaussianBlur((3, 3), (0.1, 2.0), p=0.5, same_on_batch=same["blur"]),
    )


SHARED = {
    "torchvision": lambda: v2.Compose([v2.RandomResizedCrop(SIZE), v2.RandomHorizontalFlip()]),
    "torchvision, one flip": v2.RandomHorizontalFlip,
    "torchvision in part": lambda: nn.Sequential(kornia("none"), v2.RandomErasing(p=0.9, scale=(0.2, 0.4))),
    "Kornia, all": lambda: K.AugmentationSequential(K.RandomResizedCrop((SIZE, SIZE)), same_on_batch=True),
    **{f"Kornia, {name}": lambda name=name: kornia(name) for name in ("crop", "flip", "jitter", "blur")},
}
OWN = {
    "Kornia": lambda: kornia("none"),
    "Kornia, seldom": lambda: K.RandomHorizontalFlip(p=0.1),
    "Kornia, hardly ever": lambda: K.RandomErasing(p=0.005),
    "torchvision, for each image": lambda: ForEachImage(v2.Compose([v2.RandomResizedCrop(SIZE), v2.ColorJitter(0.4)])),
    "nothing": nn.Identity,
    "a constant change": lambda: v2.GaussianBlur(3, 1.0),
}


@pytest.mark.parametrize("name", SHARED)
def test_draws_for_a_whole_batch_are_found(name):
    assert "draws once for a whole batch" in shared_draws(SHARED[name], copies(SIZE))


@pytest.mark.parametrize("name", OWN)
def test_draws_for_each_image_pass(name):
    assert shared_draws(OWN[name], copies(SIZE, 16), batches=32) == ""


@pytest.mark.parametrize("value", [*SEQUENCES, *([name] for name in (*GEOMETRY, *INTENSITY))], ids=str)
def test_the_harness_own_draw_for_each_image(value):
    component = REGISTRY.resolve_or_raise("augmentation", value)
    assert shared_draws(lambda: REGISTRY.build(component, size=SIZE), copies(SIZE)) == ""


class Row(Op):
    """Darkens every image by the numbers of some rows."""

    def __init__(self, rows, p):
        super().__init__(p)
        self.rows = rows

    def draws(self, channels, height, width):
        return 1

    def transform(self, images, uniforms):
        return images * uniforms[self.rows].mean(dim=0)


@pytest.mark.parametrize("p", [1.0, 0.01])
@pytest.mark.parametrize("rows", [slice(0, 1), slice(-1, None), slice(None)], ids=["first", "last", "mean"])
def test_an_op_that_looks_at_another_row_is_named_however_seldom_it_acts(rows, p):
    found = shared_draws(lambda: Sequence([Row(rows, p)], SIZE), copies(SIZE))
    assert "in Row; each image has a row" in found


def test_one_that_is_left_out_does_not_count():
    assert shared_draws(lambda: Sequence([Row(slice(0, 1), 1.0)], SIZE), copies(SIZE), intensity=False) == ""
    assert shared_draws(lambda: Sequence([Row(slice(0, 1), 0.0)], SIZE), copies(SIZE)) == ""


def test_it_is_refused_in_one_line_and_leaves_the_global_generators():
    torch.manual_seed(3)
    state = torch.get_rng_state()
    with pytest.raises(StageError, match="mine: it draws once for a whole batch") as caught:
        require_own_draws(v2.RandomHorizontalFlip, "mine", copies(SIZE))
    assert "\n" not in str(caught.value)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.slow
def test_no_augmentation_that_draws_for_each_image_is_refused_by_chance():
    """Each round alone is failed by one in a thousand; of 60 seeds none fails all of three."""
    for seed in range(60):
        images = copies(SIZE, 4).roll(seed, dims=3)
        assert shared_draws(lambda: K.RandomResizedCrop((SIZE, SIZE)), images) == ""
