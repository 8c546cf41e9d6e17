"""The counted arithmetic is that of the real encoders, as torch counts it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from costs.timm_costs import entry_of
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from medssl_bench.costs.arithmetic import Arithmetic, _counted, relative, share_of_view
from medssl_bench.costs.timm_models import TimmArithmetic, timm_arithmetic
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


def test_encoders_that_are_not_known_count_as_a_resnet18(plugins: Plugins) -> None:
    resnet = relative(_encoder(plugins, "resnet18"), 64)
    assert relative(Component("encoder", "own", plugin="own"), 64) == resnet
    assert relative(_encoder(plugins, "timm", model="hf-hub:no/such"), 64) == resnet
    for name in ("timm", "transformers"):  # which sees larger images
        model = "hf-hub:no/such" if name == "timm" else "no/such"
        assert relative(_encoder(plugins, name, model=model, input_size=64), 28) == resnet
    seen = _encoder(plugins, "transformers", model="no/such", input_size=64)
    by_configuration = [_encoder(plugins, name, model="no/such") for name in ("transformers", "open_clip")]
    at_224 = relative(_encoder(plugins, "resnet18"), 224)
    assert [relative(encoder, 28) for encoder in by_configuration] == [at_224] * 2
    wanted = share_of_view(_encoder(plugins, "resnet18"), 32, 64)
    assert [share_of_view(encoder, 32, 64) for encoder in (seen, *by_configuration)] == [wanted] * 3, "it is in keys"


@pytest.mark.parametrize(
    ("model", "size", "parameters"),
    [
        ("test_vit", 160, {}),
        ("convnext_atto", 224, {}),
        ("convnext_atto", 28, {"input_size": 96}),
        ("vit_tiny_patch16_224", 28, {"input_size": 112}),
        ("vit_tiny_patch16_224", 28, {"input_size": 56, "options": {"patch_size": 4}}),
        ("vit_small_patch14_dinov2.lvd142m", 28, {"input_size": 224}),
        ("resnet18", 28, {"input_size": 64}),
    ],
)
def test_the_count_of_a_model_of_timm_is_torchs(
    model: str, size: int, parameters: dict[str, Any], plugins: Plugins
) -> None:
    """At the side at which it sees images, whatever that of the data is."""
    encoder = _encoder(plugins, "timm", model=model, **parameters)
    with torch.device("meta"):
        built = plugins.registry.build(encoder, size=size).eval().requires_grad_(False)
        images = torch.zeros(1, 3, size, size)
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            built(images)
    one = _counted("resnet18", 28, "imagenet", None)
    found = relative(encoder, size)
    assert found.multiply_adds * one.multiply_adds == pytest.approx(counter.get_total_flops() / 2, rel=0.03)
    assert found.parameters * one.parameters == pytest.approx(sum(p.numel() for p in built.parameters()), rel=0.08)


def test_the_file_is_what_is_counted() -> None:
    """Of two models; all of it takes long."""
    for model in ("test_vit", "test_convnext"):
        parameters, linear, quadratic, side = entry_of(model)
        found = timm_arithmetic(model)
        assert found == TimmArithmetic(parameters, linear, quadratic, has_one_size=bool(side))


def test_views_of_equal_compute_are_counted_as_before(plugins: Plugins) -> None:
    """Keys depend on it; but where a network sees all views at one size, all of them cost the same."""
    resnet, timm = _encoder(plugins, "resnet18"), _encoder(plugins, "timm", model="convnext_atto")
    assert share_of_view(timm, 32, 64) == share_of_view(resnet, 32, 64) < 0.5
    assert share_of_view(_encoder(plugins, "timm", model="convnext_atto", input_size=96), 32, 64) == 1


def test_a_patch_that_does_not_fit_is_told_by_its_stage_and_not_by_the_plan(plugins: Plugins) -> None:
    assert relative(_encoder(plugins, "vit_tiny", patch=5), 28).multiply_adds > 0
