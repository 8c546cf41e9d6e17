"""The contract test passes what holds to the contract, however unusual it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from medssl_bench.plugin.manager import load_plugins
from medssl_bench.testing.run import check_component, check_plugin

ENCODERS = ("resnet18", "resnet50", "vit_tiny", "timm", "transformers", "open_clip", "features")


@pytest.fixture(scope="module")
def plugins():
    return load_plugins()


def _found(plugins, name, context, given=None):
    """Return what was found, by component and check, of a plugin that passes."""
    (plugin,) = [found for found in plugins.found if found.name == name]
    checks = list(check_plugin(plugins, plugin, given or {}, context))
    assert [check for check in checks if not check.ok] == []
    return {(check.component, check.name): check.found for check in checks}


@pytest.mark.slow
def test_the_unusual_is_sound(context):
    plugins = load_plugins()
    plugins.add_inline(Path(__file__).with_name("sound.py"))
    found = _found(plugins, "sound", context)
    assert found["augmentation same", "another key gives another view"] == "no: it is deterministic"
    assert found["augmentation same", "own random streams"].startswith("no")
    assert found["evaluator labels_alone", "binary, grey"] == "refused: its images have one class"
    assert found["evaluator labels_alone", "the same seed gives the same scores"].endswith("gives the same")
    assert found["evaluator guess", "the same seed gives the same scores"].endswith("gives others")
    assert found["evaluator feature_range", "ordinal, grey"].startswith("range ")
    assert found["dataset sparse", "fingerprint"] == "fixed"
    assert "val (0, 8, 8, 3)" in found["dataset sparse", "images"]
    assert found["dataset bare", "images"] == "unlabelled (5, 8, 8)"
    assert found["dataset bare", "labels"] == "none"
    assert found["method cold", "views"] == "2 of each image"
    assert found["method cold", "its work is counted"] == "1 of 28 px and 1 of 20 px trained, none frozen"
    assert found["method still", "its work is counted"] == "none trained, 2 of 28 px frozen"
    assert found["method tokens", "trains on RGB images"].startswith("loss ")
    assert found["method still", "loss and metrics"].startswith("loss ")
    assert found["encoder means", "gradients"] == "it has no parameters, so nothing is trained"
    assert found["dataset sparse", "no group is in two splits"] == "yes"
    watched = found["plugin sound", "watches a run"]
    assert watched == ("medssl_run_begins (1), medssl_epoch_ends (3), medssl_stage_waits (1), medssl_run_ends (1)")
    seen = plugins.manager.get_plugin("sound").seen
    assert [line for line in seen if str(line).startswith("pretrain")][:2] == ["pretrain 1/2", "pretrain 2/2"]
    for check in (
        "takes events that come again", "takes several stages at a time", "the results are those of a run without it",
        "leaves no process and no thread", "needs no network to be imported",
    ):  # fmt: skip
        assert found["plugin sound", check]
    assert seen[-1] == {"done", "failed", "blocked"}


@pytest.mark.parametrize("name", ["methods", "training"])
def test_our_own_plugins_hold_to_it(plugins, context, name):
    """Those of distributions have tests of their own, as the example shows."""
    assert len(_found(plugins, name, context)) > 5


@pytest.mark.slow
@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_too(plugins, context, name):
    """But for those that have more of the same blocks: tests/encoders has them, too."""
    given = {"model": "test_resnet"} if name == "timm" else {}
    checks = list(check_component(plugins, plugins.registry.find("encoder", name), given, context))
    assert [check for check in checks if not check.ok] == []


def test_every_encoder_is_checked_or_has_more_of_the_same_blocks(plugins):
    assert {entry.name for entry in plugins.registry.of("encoders")} == {*ENCODERS, "resnet34", "vit_small"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["augmentations", "evaluators", "executors", "datasets", "thesis"])
def test_the_larger_ones_too(plugins, context, name):
    given = {("augmentation", "sequence"): {"ops": ["resized_crop"]}}
    given |= {("dataset", f"phantom_{kind}"): {"train": 40, "val": 20, "test": 20} for kind in ("cells", "layers")}
    assert len(_found(plugins, name, context, given)) > 5
