"""The contract test fails what is broken, at the check that is about it, and nothing else of the plugin."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from medssl_bench.plugin.manager import load_plugins
from medssl_bench.plugin.registry import Plugin
from medssl_bench.testing.run import check_component, check_plugin

BROKEN = [
    ("augmentation", "wrong-size", "views of every image", r"\(4, 3, 9, 9\)"),
    ("augmentation", "out-of-range", "values in [0, 1]", "0 to "),
    ("augmentation", "writes", "images are left as they are", "work on a copy"),
    ("augmentation", "not-repeatable", "the same key gives the same view", "two views of one key differ"),
    ("augmentation", "half", "values in [0, 1]", "float16"),
    ("augmentation", "not-a-number", "values in [0, 1]", "nan to nan|not finite"),
    ("augmentation", "layout", "views of every image", "view size is not compatible"),
    ("augmentation", "exits", "can be built", "SystemExit"),
    ("augmentation", "no-module", "can be built", "gives function, not an nn.Module"),
    ("augmentation", "undocumented", "documentation", "no docstring"),
    ("augmentation", "missing", "factory", "cannot import no_such_module:factory"),
    ("op", "loud", "values in [0, 1]", "to "),
    ("op", "own", "global random state is untouched", "global generator of torch"),
    ("encoder", "narrow", "features", r"\(4, 4\); dim says \(4, 8\)"),
    ("encoder", "batch", "images do not depend on one another in evaluation mode", "change by"),
    ("encoder", "frozen", "gradients", "does not require grad"),
    ("encoder", "secret", "weights can be saved and loaded", "keep all state in parameters and buffers"),
    ("encoder", "unused", "gradients", r"no gradient reaches unused\.weight"),
    ("encoder", "moody", "images do not depend on one another in evaluation mode", "two passes over the same images"),
    ("encoder", "warming", "a step that is recorded once plays back as it is done by hand", "ends as another"),
    ("encoder", "looking", "a step that is recorded once plays back as it is done by hand", "a value is read back"),
    ("method", "nan", "loss and metrics", "the loss is nan"),
    ("method", "detached", "loss and metrics", "no gradient reaches the encoder"),
    ("method", "hides", "can be built", "'loss', which is a name of the harness' own"),
    ("method", "vector", "can be built", "not that of a scalar"),
    ("method", "state", "evaluation mode leaves its state as it is", "seen changes"),
    ("method", "random", "the same seed gives the same encoder", "differs between two runs"),
    ("method", "metric", "loss and metrics", "detach it"),
    ("method", "monitor", "loss and metrics", "'nothing', which is not among its metrics"),
    ("method", "discards", "loss and metrics", "discarded names queue; its parts are encoder, seen"),
    ("method", "views", "views", "another answer the second time"),
    ("method", "hidden", "evaluation mode leaves its state as it is", "state that is in no buffer"),
    ("method", "counting", "a training that is interrupted and goes on ends the same", "interrupted within its first"),
    ("method", "global", "global random state is untouched", "global generator of NumPy"),
    ("method", "schedule", "a step that is recorded once plays back as it is done by hand", r"on progress\.fraction"),
    ("method", "epochs", "a step that is recorded once plays back as it is done by hand", "ends as another"),
    ("method", "agreeing", "a step that is recorded once plays back as it is done by hand", "recordable is 'yes'"),
    ("method", "rebinding", "a step that is recorded once plays back as it is done by hand", "ends as another"),
    ("method", "reading", "a step that is recorded once plays back as it is done by hand", "a value is read back"),
    ("method", "idle", "trains on RGB images", "the encoder does not change"),
    ("evaluator", "logits", "multi-class, grey", "they are probabilities"),
    ("evaluator", "shape", "multi-class, grey", r"scores have shape \(19, 4\), not \(20, 4\)"),
    ("evaluator", "nan", "multi-class, grey", "not finite"),
    ("evaluator", "tensor", "multi-class, grey", "Tensor, not a NumPy array"),
    ("evaluator", "json", "what it gives beside scores", "the metric 'count' as float32"),
    ("evaluator", "overwrites", "what it gives beside scores", "'accuracy', which is a name of the harness' own"),
    ("evaluator", "reports", "what it gives beside scores", "it reports the metric 'loss' as nan"),
    ("evaluator", "counts", "multi-class, grey", "'many', not a number of images"),
    ("evaluator", "refuses", "can be built", "refuses data of every task"),
    ("evaluator", "predicts", "multi-class, grey", "an analysis predicts nothing"),
    ("evaluator", "needs-labels", "multi-class, grey", "division by zero"),
    ("evaluator", "validates", "labels that were not drawn are not used", "change with labels"),
    ("evaluator", "seed", "the same seed gives the same scores", "uses_seed is False"),
    ("evaluator", "peeks", "labels that were not drawn are not used", "change with labels"),
    ("evaluator", "tests", "labels that were not drawn are not used", "change with labels"),
    ("evaluator", "random", "the same seed gives the same scores", "different scores"),
    ("evaluator", "encoder", "multi-class, grey", "it asks for the encoder"),
    ("evaluator", "writes", "images and labels are left as they are", "changes the images of the train split"),
    ("evaluator", "forgetful", "interrupted, it goes on to the same scores", "interrupted at checkpoint 1"),
    ("evaluator", "mixing", "judged together, each cell has the scores that it has alone", "cell 1 are others when"),
    ("evaluator", "global", "global random state is untouched", "global generator of NumPy"),
    ("evaluator", "headless", "multi-class, grey", "keeps_head is True"),
    ("evaluator", "another-head", "multi-class, grey", "gives scores that differ by up to"),
    ("evaluator", "claims", "what it gives beside scores", "trains_encoder is True"),
    ("dataset", "counts", "images", r"info\(\) says \(5, 8, 8\)"),
    ("dataset", "fingerprint", "fingerprint", "two builds give"),
    ("dataset", "late", "fingerprint", r"fixed before load\(\) and other after"),
    ("dataset", "story", "what it says of itself", "title is broken before"),
    ("dataset", "narrow", "labels", "int32, not int64"),
    ("dataset", "global", "global random state is untouched", "global generator of NumPy"),
    ("dataset", "content", "the same content twice", "images differ between two loads"),
    ("dataset", "labels", "labels", "run from 2 to 2"),
    ("dataset", "dtype", "images", "float32, not uint8"),
    ("executor", "idle", "runs every stage of a tiny suite", "is not in the store"),
    ("executor", "forgets", "runs every stage of a tiny suite", "no outcome for"),
    ("executor", "stops", "a failing stage stops only what builds on it", "is failed, not (done|blocked)"),
]

FLOAT32 = "loss and metrics are float32 under bfloat16 autocast"
OWN = "every image has draws of its own"
ALONE = "a view does not depend on the other images"
STAND_IN = "validation images can stand in place of the test images, as `tune` needs"
UNVALIDATED = "validation labels are used only if it says so"

BROKEN += [
    ("method", "similarity", FLOAT32, "a product of 12x16 and 16x12 is computed in bfloat16"),
    ("method", "ranks", FLOAT32, "a product of 12x16 and 16x12 is computed in bfloat16"),
    ("method", "half-ranks", FLOAT32, "a tensor of 12x12 is rounded to float16"),
    ("method", "half-metric", FLOAT32, "metric top1 is bfloat16"),
    ("method", "half-loss", FLOAT32, "the loss is bfloat16"),
    ("method", "difference", FLOAT32, r"the loss is [\d.]+; of the same outputs of encoder and heads it is"),
    ("method", "normalised", FLOAT32, r"the loss is [\d.]+; of the same outputs of encoder and heads it is"),
    ("method", "validation", FLOAT32, "a product of 12x16 and 16x12 is computed in bfloat16 on validation"),
    ("method", "loss-module", FLOAT32, "a product of 12x16 and 16x4 is computed in bfloat16"),
    ("augmentation", "torchvision", OWN, "it draws once for a whole batch"),
    ("augmentation", "kornia", OWN, "it draws once for a whole batch"),
    ("augmentation", "kornia-flip", OWN, "it draws once for a whole batch"),
    ("augmentation", "seldom", OWN, "it draws once for a whole batch"),
    ("augmentation", "mixing", ALONE, r"an image's view changes by [\d.]+ with the other images"),
    ("op", "first-row", OWN, "the draws of one image decide the views of others, in FirstRow"),
    ("op", "last-coin", OWN, "the draws of one image decide the views of others, in LastCoin"),
    ("op", "mean-of-batch", ALONE, r"an image's view changes by [\d.]+ with the other images"),
    ("op", "brightest", ALONE, r"an image's view changes by [\d.]+ with the other images"),
    ("evaluator", "validating-labels", UNVALIDATED, "uses_validation is False, but what it gives changes"),
    ("evaluator", "validating-count", UNVALIDATED, "uses_validation is False, but what it gives changes"),
    ("evaluator", "validating-choice", UNVALIDATED, "uses_validation is False, but what it gives changes"),
    (
        "evaluator",
        "validating-size",
        "validation images can stand in place of the test images, as `tune` needs",
        "shape",
    ),
    (
        "dataset",
        "test-in-train",
        "no image is in two splits",
        r"1 of 4 images of test .* \(number 0 of test with number 5",
    ),
    ("dataset", "val-in-test", "no image is in two splits", r"1 of 4 images of test share theirs with val"),
    ("dataset", "patient-in-both", "no group is in two splits", "1 of 4 images of test share theirs with train"),
]
BEST = "multi-class: a perfect prediction is best"
BROKEN += [
    ("metric", "outside", "multi-class: finite and in its range", "outside its range 0 to 1"),
    ("metric", "undefined", "multi-class: finite and in its range", "it gives None for predictions of every class"),
    ("metric", "upside-down", BEST, "is higher_is_better = True right"),
    ("metric", "modest", BEST, "a perfect prediction has 0.5, but the best value of its range is 1"),
    ("metric", "ordered", "the order of the images changes nothing", "as the images are ordered"),
    ("metric", "overwriting", "predictions and labels are left as they are", "it changes the labels or the scores"),
    ("metric", "other-mean", "the mean of its influence values is the metric", "their mean is "),
    ("metric", "too-narrow", "the mean of its influence values is the metric", "their standard deviation is 0; "),
    (
        "metric",
        "one-influence",
        "the mean of its influence values is the metric",
        r"they have shape \(\), not \(240,\)",
    ),
    ("metric", "drawing", "global random state is untouched", "global generator of NumPy"),
    ("metric", "classes", "multi-class: finite and in its range", "it gives 1 values for 4 classes"),
    ("metric", "last", "a record of a result", "IndexError"),
    ("metric", "empty", "can be built", "its range is empty"),
]
ASKED = "the epoch is chosen by the metric that is asked for"
BROKEN += [
    ("evaluator", "choosing-blind", ASKED, r"never measures trial\.criterion; choose it by trial\.best_epoch\(\)"),
    ("evaluator", "choosing-upwards", ASKED, "of 3 epochs it chooses 2 where the last is best, and 2 where the first"),
    ("evaluator", "choosing-undefined", ASKED, "it chooses epoch 0, for which the metric has no value"),
]
LOSS, WORK = "loss and metrics", "its work is counted"
BROKEN += [
    ("method", "changed-queue", LOSS, r"changes a tensor in place that the gradient needs, .* self\.queue\.clone\(\)"),
    ("method", "masked-early", LOSS, r"the loss is finite, and the gradient of .* is not; infinity times 0"),
    ("method", "forgotten-head", LOSS, r"no parameter group has head\.weight and 1 more, so nothing trains it"),
    ("method", "constant-number", LOSS, r"constant_lr = 0\.001, not True or False"),
    ("method", "misspelt", LOSS, r"'constant_lrs', which means nothing \(did you mean 'constant_lr'\?\)"),
    ("method", "uncountable", WORK, "its `work` cannot be counted: KeyError: 'views'"),
]
BROKEN += [
    ("watcher", "deaf", "can be built", "gives Deaf, which has no hook of a run; mark its methods with @hookimpl"),
]
CARELESS = {
    "the results are those of a run without it": "it draws from the global generator of NumPy",
    "takes events that come again": "medssl_epoch_ends of a stage of kind pretrain raises ValueError: epoch 0 again",
    "takes several stages at a time": "medssl_stage_begins .* raises RuntimeError: another is under way",
    "leaves no process and no thread": r"still thread 'staying'.*, process \d+",
    "needs no network to be imported": "it reaches for 192.0.2.1 as it is imported",
}
FILES = (
    "criterion",
    "watchers",
    "gradients",
    "inputs",
    "metrics",
    "models",
    "precision",
    "batches",
    "validation",
    "splits",
)


@pytest.fixture(scope="module")
def plugins():
    loaded = load_plugins()
    for name in FILES:
        loaded.add_inline(Path(__file__).with_name(f"broken_{name}.py"))
    yield loaded
    for process in sys.modules["medssl_bench_inline_broken_watchers"].processes:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("kind", "name", "check", "found"), BROKEN, ids=lambda value: str(value)[:30])
def test_broken_component(plugins, context, kind, name, check, found):
    checks = list(check_component(plugins, plugins.registry.find(kind, name), {}, context))
    failed = [result for result in checks if not result.ok]
    assert [result.name for result in failed] == [check], "one fault has one line"
    assert re.search(found, failed[0].found)
    assert "\n" not in failed[0].found


@pytest.mark.parametrize(("kind", "name"), [("evaluator", "overwrites"), ("evaluator", "reports"), ("method", "hides")])
def test_a_name_of_the_harness_is_one_line(plugins, context, kind, name):
    checks = list(check_component(plugins, plugins.registry.find(kind, name), {}, context))
    assert sum(not result.ok for result in checks) == 1


def test_every_component_of_the_broken_plugins_is_in_the_table(plugins):
    registered = {(entry.kind.name, entry.name) for name in FILES for entry in plugins.registry.of(f"broken_{name}")}
    assert registered - {("dataset", "needs-a-path"), ("watcher", "careless")} == {
        (kind, name) for kind, name, _, _ in BROKEN
    }


def test_required_parameters_are_asked_for(plugins, context):
    entry = plugins.registry.find("dataset", "needs-a-path")
    (*_, last) = check_component(plugins, entry, {}, context)
    assert last.ok
    assert "give --with dataset:needs-a-path 'path = ...'" in last.found
    names = [check.name for check in check_component(plugins, entry, {"path": __file__}, context)]
    assert "the same content twice" in names


def test_a_plugin_that_does_not_load_fails(plugins, context):
    (only,) = check_plugin(plugins, Plugin("gone", "installed", problem="ImportError: no"), {}, context)
    assert (only.ok, only.found) == (False, "ImportError: no")


def test_a_careless_watcher_fails_each_check_that_is_about_it(plugins, context):
    checks = list(check_component(plugins, plugins.registry.find("watcher", "careless"), {}, context))
    failed = {check.name: check.found for check in checks if not check.ok}
    assert failed.keys() == CARELESS.keys()
    assert all(re.search(found, failed[name]) for name, found in CARELESS.items()), failed


def test_a_watcher_that_raises_in_one_hook_has_one_line(context):
    loaded = load_plugins()
    plugin = loaded.add_inline(Path(__file__).with_name("broken_watcher.py"))

    loads, watches = check_plugin(loaded, plugin, {}, context)

    assert loads.ok
    assert watches.found.endswith("(5 further checks left out until this holds)")
    assert not watches.ok
    assert watches.found.startswith("medssl_stage_ends of an embed stage that is failed raises KeyError: 'accuracy'")
    seen = loaded.manager.get_plugin("broken_watcher").seen
    assert seen[0] == "contract: 7 stages, 1 table"
    assert len(seen) == 1, "nothing is told after the first that raises"
