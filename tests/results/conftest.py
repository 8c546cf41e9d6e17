"""A store with results that were written, not computed, and the leaderboards made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from leased import leased
from numpy.typing import NDArray

from medssl_bench import hookimpl
from medssl_bench.datasets import DatasetContext, Task
from medssl_bench.metrics.classification import measure
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.selection import Selection
from medssl_bench.plan.stage import Plan, Stage, Trial
from medssl_bench.plugin.manager import Plugins, load_plugins
from medssl_bench.plugin.registry import Plugin, Register
from medssl_bench.published.reference import Reference, ReferenceCell
from medssl_bench.results.leaderboard import Leaderboard
from medssl_bench.store.record import Record
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

SUITE = """\
schema = 1
name = "odd_&_ends"
seeds = [0, 1]
draws = [0, 1]
floors = ["majority"]

[pretraining.nat]
augmentation = "simclr"
epochs = 10

[[comparison]]
id = "main"
title = "Main <b>*table*</b> | 100 % of a_b & c"
datasets = ["bloodmnist"]
labels = [100, "all"]
baseline = "supervised"
reference = "printed:main"
analyses = ["silhouette"]

  [[comparison.arm]]
  name = "supervised"
  evaluator = "finetune"

  [[comparison.arm]]
  name = "probe | [ours] 50% #1_a"
  pretraining = ["nat"]
  evaluator = "linear_probe"
"""

PROBE = "probe | [ours] 50% #1_a"


class _Printed:
    @hookimpl
    def medssl_references(self, register: Register) -> None:
        register("printed", _printed)


def _printed(table: str) -> Reference:
    """Published numbers."""
    cells = (
        ReferenceCell("bloodmnist", "100", "supervised", "accuracy", 0.75),
        ReferenceCell("bloodmnist", "all", "supervised", "auroc", 0.95),
        ReferenceCell("pathmnist", "100", "supervised", "accuracy", 0.11),
    )
    return Reference("Someone & Co. (2023), Table 1_a", cells)


class Lab:
    """A suite, its plan, and a store to put results into."""

    def __init__(self, folder: Path, plugins: Plugins, text: str, **selected: object) -> None:
        (folder / "suite.toml").write_text(text, "utf-8")
        self.suite = Suite.load(folder / "suite.toml", plugins)
        context = DatasetContext(folder / "data", folder / "cache")
        self.plan: Plan = build_plan(self.suite, context, Selection(**selected))  # type: ignore[arg-type]
        self.store = Store(folder / "store")
        self.store.prepare()

    def trials(self, arm: str, labels: str = "100", table: str = "main") -> list[Trial]:
        return [t for t in self.plan.trials if (t.table, t.arm, t.labels) == (table, arm, labels)]

    def finish(self, trial: Trial, **metrics: float | None) -> None:
        """Put the result of a trial into the store."""
        self.finish_stage(self.plan.stages[trial.stage], **metrics)

    def predict(
        self, trial: Trial, right: NDArray[np.bool_], group: NDArray[np.int64] | None = None, **metrics: int
    ) -> None:
        """Put the predictions of a trial of 8 classes into the store: which of its test images are right."""
        truth = np.arange(len(right))[:, None] % 8
        scores = np.full((len(right), 8), 0.1, np.float32)
        scores[np.arange(len(right)), (truth[:, 0] + ~right) % 8] = 0.3
        arrays = {"y_true": truth, "y_score": scores} | ({} if group is None else {"group": group})
        stage = self.plan.stages[trial.stage]
        found = {**measure(Task.MULTI_CLASS, truth, scores), **metrics}
        record = Record(stage.key, stage.kind, stage.title, "done", stage.identity, found)
        with leased(self.store, stage.key) as lease:
            np.savez(lease.files / "predictions.npz", **arrays)
            self.store.finish(record, lease)

    def finish_stage(self, stage: Stage, **metrics: float | None) -> None:
        scale = self.plan.epochs_scale
        record = Record(stage.key, stage.kind, stage.title, "done", stage.identity, dict(metrics), epochs_scale=scale)
        with leased(self.store, stage.key) as lease:
            self.store.finish(record, lease)

    def finish_pretraining(
        self, stage: Stage, seconds: float | None, host: str = "one", device: str = "cpu: x"
    ) -> None:
        """Put a pretraining into the store that took some processor seconds; None: these were not measured."""
        cost = {} if seconds is None else {"processor_seconds": seconds}
        record = Record(stage.key, stage.kind, stage.title, "done", stage.identity, {}, cost)
        with leased(self.store, stage.key) as lease:
            self.store.finish(replace(record, provenance={"host": host, "device": device}), lease)

    def fail(self, stage: str) -> None:
        found = self.plan.stages[stage]
        record = Record(found.key, found.kind, found.title, "done", found.identity)
        with leased(self.store, found.key) as lease:
            self.store.fail(replace(record, status="failed", reason="out of memory"), "Traceback", lease)

    def fill(self, value: Callable[[Trial], float] | None = None) -> None:
        """Put a result of every trial into the store."""
        for trial in self.plan.trials:
            found = (value or _value)(trial)
            self.finish(trial, accuracy=found, auroc=found / 2 + 0.5, balanced_accuracy=0.5)

    @property
    def board(self) -> Leaderboard:
        return Leaderboard.of(self.suite, self.plan, self.store)


def _value(trial: Trial) -> float:
    """Return an accuracy by which the probe wins at 100 labels and the supervised arm at all of them."""
    level = {"majority class": 0.2, "supervised": 0.6, PROBE: 0.7}.get(trial.arm, 0.5)
    if trial.labels == "all":
        level += {"supervised": 0.3, PROBE: 0.1}.get(trial.arm, 0.0)
    return level + 0.01 * trial.seed + (0.04 * trial.draw if trial.labels != "all" else 0)


def with_printed() -> Plugins:
    """Return all plugins, and one that has a published table."""
    found = load_plugins()
    found.add(Plugin("printed", "installed"), _Printed)
    return found


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    return with_printed()


@pytest.fixture
def lab_of(tmp_path: Path, plugins: Plugins) -> Callable[..., Lab]:
    """Return the lab of a suite, or of what a selection leaves of it; all of one test share a store."""

    def lab_of(text: str = SUITE, **selected: object) -> Lab:
        return Lab(tmp_path, plugins, text, **selected)

    return lab_of


@pytest.fixture
def lab(lab_of: Callable[..., Lab]) -> Lab:
    return lab_of()
