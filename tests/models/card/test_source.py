"""What a card says of weights that a training began with, and how it writes components."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from medssl_bench.models.card.facts import _given, one_line, written
from medssl_bench.models.card.training import _selection
from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.store.tensors import save_tensors


@pytest.mark.parametrize(
    ("encoder", "words"),
    [
        ("resnet18", []),
        ({"name": "resnet18", "weights": "pretrained"}, ["timm's pretrained weights of `resnet18`"]),
        (
            {"name": "timm", "model": "convnext_atto", "weights": "pretrained"},
            ["timm's pretrained weights of `convnext_atto`"],
        ),
        (
            {"name": "timm", "model": "vit_small_patch14_dinov2.lvd142m", "weights": "pretrained"},
            ["timm's pretrained weights of `vit_small_patch14_dinov2.lvd142m`, trained on LVD-142M"],
        ),
        (
            {"name": "transformers", "model": "owkin/phikon", "weights": "pretrained", "trained_on": ["TCGA", "a|b"]},
            ["transformers' pretrained weights of `owkin/phikon`, trained on TCGA, a/b"],
        ),
    ],
)
def test_weights_of_other_origin_are_told(encoder: object, words: list[str]) -> None:
    component = load_plugins().registry.resolve_or_raise("encoder", encoder)
    assert list(_given(component)) == words


def test_a_component_is_written_without_the_folders_of_its_files(tmp_path: Path) -> None:
    save_tensors({"w": torch.zeros(1)}, tmp_path / "weights.safetensors")
    component = load_plugins().registry.resolve_or_raise(
        "encoder", {"name": "timm", "model": "test_resnet", "weights_file": str(tmp_path / "weights.safetensors")}
    )
    text = written(component.to_data())
    assert 'weights_file = "weights.safetensors"' in text
    assert str(tmp_path) not in text


def test_a_text_cannot_break_the_table_it_stands_in() -> None:
    assert one_line("a | b\n<script>") == "a / b &lt;script>"


def test_another_metric_that_chose_the_epoch_is_named() -> None:
    registry = load_plugins().registry
    component = registry.resolve_or_raise("evaluator", "finetune").to_data()
    older = {
        "dataset": {"component": registry.resolve_or_raise("dataset", "bloodmnist").to_data(), "fingerprint": "x"},
        "evaluator": component,
        "trains_encoder": True,
        "labels": {"unit": "all"},
        "validation_labels": {"unit": "all"},
        "selection": "validation",
        "shuffle_labels": False,
        "seed": 0,
        "draw": 0,
        "start": None,
    }
    by_auroc = {**older, "select_by": registry.resolve_or_raise("metric", "auroc").to_data()}
    assert _selection(EvaluateSpec.from_data(older)) == "validation", "records of older versions name none"
    assert _selection(EvaluateSpec.from_data(by_auroc)) == "validation, by AUROC"
    again = EvaluateSpec.from_data(EvaluateSpec.from_data(by_auroc).to_data())
    assert again.select_by == registry.resolve_or_raise("metric", "auroc")
    assert EvaluateSpec.from_data(EvaluateSpec.from_data(older).to_data()).select_by is None
