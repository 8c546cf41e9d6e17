"""The counted arithmetic is that of the real encoders, as torch counts it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from medssl_bench.costs.arithmetic import Arithmetic, _counted, relative
from medssl_bench.encoders.patch import fitting_patch
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.manager import Plugins, load_plugins


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return load_plugins()


def _encoder(plugins: Plugins, name: str, **parameters: Any) -> Component:
    return plugins.registry.resolve("encoder", {"name": name, **parameters}, Path())


@pytest.mark.parametrize(
    ("name", "size", "parameters"),
    [
        ("resnet18", 28, {}),
        ("resnet18", 64, {}),
        ("resnet18", 75, {}),
        ("resnet18", 224, {}),
        ("resnet18", 28, {"stem": "small"}),
        ("resnet34", 28, {}),
        ("resnet50", 28, {}),
        ("resnet50", 64, {}),
        ("vit_tiny", 28, {}),
        ("vit_tiny", 64, {}),
        ("vit_small", 28, {"patch": 7}),
    ],
)
def test_the_count_is_torchs(name: str, size: int, parameters: dict[str, Any], plugins: Plugins) -> None:
    model = plugins.registry.build(_encoder(plugins, name, **parameters), size=size).eval()
    # the counter does not know the processor's fused attention
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, 3, size, size))
    patch = fitting_patch(size, parameters.get("patch")) if name.startswith("vit") else None
    found = _counted(name, size, parameters.get("stem", "imagenet"), patch)
    assert found.multiply_adds == pytest.approx(counter.get_total_flops() / 2, rel=0.01)
    assert found.parameters == pytest.approx(sum(each.numel() for each in model.parameters()), rel=0.01)


def test_a_resnet18_at_28_pixels_is_the_measure(plugins: Plugins) -> None:
    one = Arithmetic(1, 1)
    assert relative(_encoder(plugins, "resnet18"), 28) == one
    assert relative(_encoder(plugins, "resnet18"), None) == one
    deeper, larger = relative(_encoder(plugins, "resnet34"), 28), relative(_encoder(plugins, "resnet18"), 64)
    assert deeper.multiply_adds > 1 < deeper.parameters
    assert larger.multiply_adds > 4
    assert larger.parameters == 1


def test_other_encoders_count_as_a_resnet18(plugins: Plugins) -> None:
    other = _encoder(plugins, "timm", model="convnext_atto")
    assert relative(other, 64) == relative(_encoder(plugins, "resnet18"), 64)


def test_a_patch_that_does_not_fit_is_told_by_its_stage_and_not_by_the_plan(plugins: Plugins) -> None:
    assert relative(_encoder(plugins, "vit_tiny", patch=5), 28).multiply_adds > 0
