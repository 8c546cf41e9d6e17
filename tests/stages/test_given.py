"""What plugins give cannot overwrite what the harness computes; what they flag is told everywhere."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import medssl_bench
from medssl_bench import hookimpl
from medssl_bench.evaluators.check_evaluation import RESERVED_ARRAYS, RESERVED_WEIGHTS
from medssl_bench.evaluators.own_metrics import RESERVED_METRICS
from medssl_bench.methods.check_history import RESERVED_METRICS as RESERVED_OF_METHODS
from medssl_bench.methods.check_history import VALIDATION
from medssl_bench.report.page.build import page
from medssl_bench.report.study import Study
from medssl_bench.results import records
from medssl_bench.results.formats import console, latex, markdown
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

PLUGIN = """
import numpy as np
import torch
from medssl_bench import hookimpl
from medssl_bench.evaluators import Evaluation, Evaluator
from medssl_bench.methods import Method, View


@hookimpl
def medssl_evaluators(register):
    register("mine", Mine)


@hookimpl
def medssl_methods(register):
    register("my_method", my_method)


def my_method(encoder, context):
    return MyMethod(encoder)


class Mine(Evaluator):
    needs = "features"

    def evaluate(self, trial):
        truth = trial.splits["test"].labels[:, 0]
        scores = np.full((len(truth), len(trial.info.classes)), 0.2, dtype=np.float32)
        scores[np.arange(len(truth)), truth] = 0.6
        found = Evaluation(scores=scores)
        {change}
        return found


class MyMethod(Method):
    def views(self):
        return (View(),)

    def forward(self, batch, progress):
        loss = self.encoder(batch.views[0]).square().mean()
        return loss, {metrics}

    def parameter_groups(self, weight_decay):
        return [{**group, **{group}} for group in super().parameter_groups(weight_decay)]
"""

SUITE = """
schema = 1
name = "given"
plugins = ["mine.py"]
floors = []

[dataset.squares]
name = "npz"
path = "squares.npz"

[encoder.small]
name = "timm"
model = "test_resnet"

[pretraining.own]
encoder = "small"
method = "my_method"
augmentation = "plain"
epochs = 2
batch_size = 8

[[comparison]]
id = "table"
title = "Squares"
datasets = ["squares"]
labels = [6]
encoder = "small"

  [[comparison.arm]]
  name = "mine"
  evaluator = "mine"
"""

PRETRAINED = """
  [[comparison.arm]]
  name = "pretrained"
  pretraining = ["own"]
  evaluator = { name = "linear_probe", epochs = 1 }
"""


class Run:
    """A run of the suite in the working directory, with what its plugin does."""

    def __init__(self, change: str = "pass", metrics: str = "{}", group: str = "{}", suite: str = SUITE) -> None:
        text = PLUGIN
        for mark, code in (("{change}", change), ("{metrics}", metrics), ("{group}", group)):
            text = text.replace(mark, code)
        Path("mine.py").write_text(text)
        Path("given.toml").write_text(suite)
        write_squares()
        self.suite = Suite.load("given.toml")
        self.result = medssl_bench.run(self.suite, store="store", device="cpu")
        self.records = {record.kind: record for record in Store(Path("store")).records()}

    @property
    def reason(self) -> str:
        (failed,) = self.result.failed
        return failed.reason


def write_squares() -> None:
    generator, arrays = np.random.default_rng(0), {}
    for split, count in (("train", 24), ("val", 9), ("test", 60)):
        labels = np.arange(count) % 3
        images = generator.integers(0, 60, (count, 16, 16))
        images[:, 4:12, 4:12] += (60 * (1 + labels))[:, None, None]
        arrays[f"{split}_images"], arrays[f"{split}_labels"] = images.clip(0, 255).astype(np.uint8), labels[:, None]
    np.savez("squares.npz", **arrays)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        *(
            (f"found.metrics[{name!r}] = 0.0", f"{name!r}, which is a name of the harness' own")
            for name in RESERVED_METRICS
        ),
        ("found.metrics['Accuracy'] = 1.0", "'Accuracy', which is a name of the harness' own"),
        ("found.metrics['f 1'] = 1.0", "called 'f 1'; a name is"),
        ("found.metrics['sure'] = True", "the metric 'sure' as bool True"),
        ("found.metrics['dice'] = np.float32(1)", "the metric 'dice' as float32"),
        ("found.metrics['dice'] = float('nan')", "the metric 'dice' as nan"),
        ("found.metrics = None", "metrics as NoneType"),
        ("found.history = [{'loss': 1.0}]", "no number of the epoch"),
        (
            "found.history = [{'epoch': 0, 'loss': float('inf')}]",
            "as inf; has the training diverged?",
        ),
        ("found.arrays['file'] = np.zeros(2)", "'file', which is a name of the harness' own"),
        ("found.arrays['names'] = np.array([{}])", "of Python objects"),
        ("found.arrays['list'] = [1]", "as list, not as a NumPy array"),
        ("found.weights['../encoder'] = {}", "called '../encoder'"),
        ("found.weights['predictions'] = {}", "'predictions', which is a name of the harness' own"),
        ("found.weights['encoder'] = {}", "an encoder among its weights"),
        ("found.weights['head'] = [1]", "that are no state dict"),
        ("found.flags['auroc_below_chance'] = 'no'", "'auroc_below_chance', which is a name of the harness' own"),
        ("found.flags['odd'] = 3", "the flag 'odd' as 3"),
        ("found.selected_epoch = True", "selected_epoch as bool"),
        ("found.choices = {'k': np.float32(3)}", "the choice 'k' as what JSON cannot hold"),
        ("found.choices = [3]", "choices as list"),
        ("found.images_seen = -1", "images_seen as int -1"),
        ("found = {'accuracy': 1.0}", "dict, not an Evaluation"),
        ("trial.report(0, 1, {'loss': 'low'})", "reports the metric 'loss' as str"),
        ("trial.report(3, 2, {})", "reports epoch 3 of 2"),
    ],
)
def test_what_an_evaluator_gives_wrongly_is_one_line(change: str, why: str) -> None:
    reason = Run(change).reason
    assert reason.startswith("evaluator 'mine' ")
    assert why in reason
    assert reason.isprintable()


@pytest.mark.parametrize(
    ("metrics", "why"),
    [
        *(
            (f"{{{name!r}: loss.detach() * 0}}", f"{name!r}, which is a name of the harness' own")
            for name in RESERVED_OF_METHODS
        ),
        ("{'val_top1': loss.detach()}", "begin with 'val_'"),
        ("{'top 1': loss.detach()}", "called 'top 1'"),
        ("{'top1': 0.5}", "the metric 'top1' as float, not as a tensor"),
        ("{'top1': batch.index}", "of shape (8,)"),
        ("{'top1': loss.detach() / 0}", "top1 is inf in epoch 1"),
        ("[loss.detach()]", "metrics as list"),
    ],
)
def test_what_a_method_gives_wrongly_is_one_line(metrics: str, why: str) -> None:
    reason = Run(metrics=metrics, suite=SUITE + PRETRAINED).reason
    assert reason.startswith("method 'my_method'")
    assert why in reason


def test_a_learning_rate_that_would_be_overwritten_is_refused() -> None:
    assert "give 'lr_scale'" in Run(group="{'lr': 1.0}", suite=SUITE + PRETRAINED).reason


def test_the_reserved_names_are_those_that_the_harness_writes() -> None:
    ran = Run("found.last_scores, found.selected_epoch, found.choices = scores, 0, {'k': 3}", suite=SUITE + PRETRAINED)
    assert not ran.result.failed
    own = {name for record in Store(Path("store")).records() if "mine" in record.title for name in record.metrics}
    assert own | {"labelled_groups"} == set(RESERVED_METRICS), "that one is of a set with groups"
    pretrained = {name for name in ran.records["pretrain"].metrics if not name.startswith(VALIDATION)}
    of_a_pool = {"images_held_out", "images_of"}
    of_features = {f"feature_{name}" for name in ("spread", "rank", "cosine")}  # written with start_ and val_ alone
    assert pretrained | of_a_pool | of_features == set(RESERVED_OF_METHODS)
    files = {Path(name).stem for record in Store(Path("store")).records() for name in record.files}
    assert files - {"encoder", "head"} <= set(RESERVED_WEIGHTS)
    for file in Path("store/done").rglob("predictions.npz"):
        with np.load(file) as arrays:
            assert set(arrays.files) <= set(RESERVED_ARRAYS)


class Meddling:
    """A watcher that changes all that it is told."""

    @hookimpl
    def medssl_epoch_ends(self, epoch: Any) -> None:
        epoch.metrics.update(dict.fromkeys(epoch.metrics, -1.0), more=1.0)

    @hookimpl
    def medssl_stage_ends(self, outcome: Any) -> None:
        outcome.metrics["accuracy"] = -1.0
        outcome.flags["no"] = "no"

    @hookimpl
    def medssl_run_ends(self, outcomes: Any) -> None:
        for outcome in outcomes:
            outcome.metrics["accuracy"] = -1.0
        outcomes.clear()


def test_what_a_watcher_changes_is_its_own() -> None:
    Run(suite=SUITE + PRETRAINED)
    suite = Suite.load("given.toml")
    suite.plugins.manager.register(Meddling())
    result = medssl_bench.run(suite, store="other", device="cpu")

    assert result.outcomes
    assert all(outcome.metrics.get("accuracy", 1.0) >= 0 and "no" not in outcome.flags for outcome in result.outcomes)
    found = {record.key: record for record in Store(Path("other")).records()}
    for record in Store(Path("store")).records():
        assert found[record.key].metrics == record.metrics
        if "history.json" in record.files:
            assert found[record.key].files["history.json"] == record.files["history.json"]


FLAGGED = """
        found.scores = 1 - scores
        found.scores /= found.scores.sum(axis=1, keepdims=True)
        found.flags["few"] = f"few neighbours (seed {trial.seed})"
"""


def test_flags_are_in_the_record_and_under_every_table() -> None:
    suite = SUITE.replace("floors = []", "floors = []\nseeds = [0, 1]\n") + PRETRAINED
    ran = Run(FLAGGED.strip().replace("\n        found", "\n        found"), suite=suite)
    assert not ran.result.failed
    flags = [o.flags for o in ran.result.outcomes if "mine" in o.stage.title]
    assert [set(each) for each in flags] == [{"few", "auroc_below_chance"}] * 2
    assert {frozenset(r.flags) for r in Store(Path("store")).records() if "mine" in r.title} == {frozenset(flags[0])}
    told = (
        "2 of 2 results of 'mine' at 6 labels: few neighbours (seed 0, draw 0: seed 0).",
        "2 of 2 results of 'mine' at 6 labels: the AUROC is below chance (0.000, ",
        "2 of 2 results of 'pretrained' at 6 labels: the probe had not converged (",
    )
    board = ran.result.leaderboard
    console.Console(file=(drawn := io.StringIO()), width=400).print(console.render(board))
    text = drawn.getvalue()
    for line in told:
        assert line in text
        assert line in markdown.to_markdown(board)
        assert line in latex.to_latex(board).replace(r"\%", "%")
    shown = page(Study.of(ran.suite, _plan(ran.suite), Store(Path("store"))))
    assert told[0].replace("'", "&#39;") in shown
    cells = [cell for cell in json.loads(records.to_json(board)) if cell["arm"] == "mine"]
    assert all(set(value["flags"]) == {"few", "auroc_below_chance"} for cell in cells for value in cell["values"])
    rows = [row for row in csv.DictReader(io.StringIO(records.to_csv(board))) if row["arm"] == "mine"]
    assert all("few neighbours" in row["flags"] and "below chance" in row["flags"] for row in rows)


def _plan(suite: Suite) -> Any:
    from medssl_bench.datasets.locations import dataset_context
    from medssl_bench.plan.build import build_plan
    from medssl_bench.plan.selection import Selection

    return build_plan(suite, dataset_context(None), Selection())
