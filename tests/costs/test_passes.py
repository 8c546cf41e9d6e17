"""Passes through the encoder for an image."""

from __future__ import annotations

import pytest

from medssl_bench.costs.arithmetic import relative
from medssl_bench.costs.passes import encoder_passes
from medssl_bench.methods import Passes
from medssl_bench.plugin.manager import load_plugins

REGISTRY = load_plugins().registry


@pytest.mark.parametrize("encoder", ["resnet18", "resnet50", "vit_tiny"])
@pytest.mark.parametrize(
    ("passes", "compute"),
    [
        (Passes(((28, 2),)), 1.0),
        (Passes(((28, 1),), frozen=((28, 1),)), 2 / 3),  # MoCo
        (Passes(((28, 2),), frozen=((28, 2),)), 4 / 3),  # BYOL
        (Passes(((28, 0.26),)), 0.13),  # 13 of 50 tokens
        (Passes(()), 0.0),
    ],
)
def test_compute_is_relative_to_two_trained_views(encoder: str, passes: Passes, compute: float) -> None:
    found = encoder_passes(passes, REGISTRY.resolve_or_raise("encoder", encoder), 28)
    assert found.compute == pytest.approx(compute, abs=1e-12)


def test_small_crops_have_the_work_of_their_size() -> None:
    component = REGISTRY.resolve_or_raise("encoder", "resnet18")
    found = encoder_passes(Passes(((28, 2), (16, 4)), frozen=((28, 2),)), component, 28)
    crop = relative(component, 16).multiply_adds / relative(component, 28).multiply_adds
    assert 0.1 < crop < 0.5
    assert found.trained == pytest.approx(2 + 4 * crop)
    assert found.frozen == pytest.approx(2)


def test_a_vit_resizes_small_crops_to_the_size_that_it_was_made_for() -> None:
    component = REGISTRY.resolve_or_raise("encoder", "vit_tiny")
    assert encoder_passes(Passes(((28, 2), (16, 4))), component, 28).trained == pytest.approx(6)


def test_a_vit_of_dynamic_size_sees_small_crops_as_they_are() -> None:
    component = REGISTRY.resolve_or_raise("encoder", {"name": "vit_tiny", "dynamic_img_size": True})
    found = encoder_passes(Passes(((28, 2), (16, 4))), component, 28)
    assert 2 + 4 * 0.3 < found.trained < 2 + 4 * 17 / 50, "17 tokens in place of 50"
