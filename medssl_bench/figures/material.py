"""What figures are drawn from: a suite, its plan, and what a store holds of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from medssl_bench.datasets import Task
from medssl_bench.results.cells import Results
from medssl_bench.results.chosen import with_chosen
from medssl_bench.results.leaderboard import SHUFFLED, Leaderboard
from medssl_bench.store.arrays import load_history, load_npz

if TYPE_CHECKING:
    import numpy as np

    from medssl_bench.datasets import Dataset, DatasetContext, DatasetInfo
    from medssl_bench.plan.chance import Chance
    from medssl_bench.plan.stage import Plan, Trial
    from medssl_bench.results.tables import TableResult
    from medssl_bench.store.store import Store
    from medssl_bench.suite.suite import Suite
    from medssl_bench.suite.table import NamedDataset, Table

GENERATED = "generated data"

Row = dict[str, float]
"""Metrics of one epoch."""

_PREDICTIONS = ("y_true", "y_score", "val_true", "val_score")


class FigureSource:
    """A suite, its plan, and what a store holds of it.

    Args:
        suite: the suite.
        plan: its plan.
        store: finished stages.
        context: where data sets keep files.
        cache: folder in which maps that no analysis kept and pictures of views are remembered; None: in memory alone.
        left_out: told, in a line each, which figures cannot be drawn and why.
        without: places of test images that no number and no curve is of, as of `Leaderboard.of`.
        board: the tables of the suite, where they are made already; None: they are made here.
    """

    def __init__(
        self,
        suite: Suite,
        plan: Plan,
        store: Store,
        context: DatasetContext,
        *,
        board: Leaderboard | None = None,
        cache: Path | None = None,
        left_out: Callable[[str], None] = lambda _reason: None,
        without: Mapping[str, NDArray[np.int64]] | None = None,
    ) -> None:
        self.board = board or Leaderboard.of(suite, plan, store, without)
        self.suite, self.plan = suite, plan = with_chosen(suite, plan, store)
        self.store = store
        self.context = context
        self.cache = cache
        self.left_out = left_out
        self.results = Results(plan, store, without)
        self.kept: dict[str, dict[str, Any]] = {}
        self._analyses_of: dict[str, list[str]] = {}
        for found in plan.analyses:
            for parent in plan.stages[found.stage].parents:
                self._analyses_of.setdefault(parent, []).append(found.stage)
        self.predictions_kept: dict[str, dict[str, NDArray[Any]]] = {}
        self._infos: dict[str, DatasetInfo | None] = dict(plan.datasets)
        self.samples: dict[str, Any] = {}
        self._trials: dict[tuple[str, str, str, str], list[Trial]] = {}
        for trial in plan.trials:
            self._trials.setdefault((trial.table, trial.dataset, trial.arm, trial.labels), []).append(trial)

    def tables(self) -> Iterator[tuple[Table, TableResult]]:
        """Yield the comparisons that have trials, each with its numbers."""
        shown = {table.id: table for table in self.board.tables}
        for table in self.suite.tables:
            if table.id in shown:
                yield table, shown[table.id]

    def datasets(self, table: Table) -> list[str]:
        """Return the labels of a comparison's data sets that have trials, in order."""
        return list(dict.fromkeys(trial.dataset for trial in self.plan.trials if trial.table == table.id))

    def budgets(self, table: Table, dataset: str) -> list[str]:
        """Return the label budgets of a data set in a comparison, in order."""
        present = {labels for (name, where, _, labels) in self._trials if (name, where) == (table.id, dataset)}
        return [budget.text for budget in table.labels if budget.text in present]

    def shown_budgets(self, table: Table, dataset: str) -> list[str]:
        """Return the smallest and the largest budget that is drawn, of those with results; else the only one."""
        texts = [
            text
            for text in self.budgets(table, dataset)
            if any(self.chance(table, dataset, text, [arm.name]) for arm in table.arms)
        ]
        drawn = [budget.text for budget in table.labels if budget.text in texts and budget.is_drawn]
        chosen = drawn or texts
        sizes = {text: self.labelled(table, dataset, text) or 0 for text in chosen}
        ordered = sorted(chosen, key=lambda text: sizes[text])
        return list(dict.fromkeys([ordered[0], ordered[-1]])) if ordered else []

    def trials(self, table: Table, dataset: str, arm: str, labels: str) -> list[Trial]:
        """Return the trials of a cell, one for each seed, draw and fold."""
        return self._trials.get((table.id, dataset, arm, labels), [])

    def chance(self, table: Table, dataset: str, labels: str, arms: list[str]) -> Chance | None:
        """Return the first seed, draw and fold for which most of these arms have a result; None where none has one."""
        counts: dict[Chance, int] = {}
        for arm in arms:
            for trial in self.trials(table, dataset, arm, labels):
                counts[trial.chance] = counts.get(trial.chance, 0) + (self.results.record(trial.stage) is not None)
        best = max(counts.values(), default=0)
        return next((chance for chance, count in counts.items() if count == best), None) if best else None

    def trial(self, table: Table, dataset: str, arm: str, labels: str, chance: Chance) -> Trial | None:
        """Return the finished trial of a cell with this seed, draw and fold, or None."""
        for trial in self.trials(table, dataset, arm, labels):
            if trial.chance == chance and self.results.record(trial.stage):
                return trial
        return None

    def labelled(self, table: Table, dataset: str, labels: str) -> int | None:
        """Return how many images a budget labels, by the records of the arms that use it; None while there is none."""
        for arm in table.arms:
            if arm.evaluator.name == "majority":  # has all labels, whatever the budget
                continue
            for trial in self.trials(table, dataset, arm.name, labels):
                record = self.results.record(trial.stage)
                if record and record.metrics.get("labelled"):
                    return int(record.metrics["labelled"])
        return None

    def analyses_of(self, stage: str) -> list[str]:
        """Return the keys of the analyses that are made of the features of an embed stage."""
        return self._analyses_of.get(stage, [])

    def history(self, stage: str) -> list[Row]:
        """Return what a finished stage measured by epoch; empty where it left nothing."""
        return load_history(self.store.folder(stage) / "history.json")

    def predictions(self, stage: str) -> dict[str, NDArray[Any]] | None:
        """Return labels and scores, ``y_true``, ``y_score``, ``val_true`` and ``val_score``; None without any."""
        if stage not in self.predictions_kept:
            file = self.store.folder(stage) / "predictions.npz"
            if not file.is_file():
                return None
            arrays = load_npz(file)
            self.predictions_kept[stage] = {name: arrays[name] for name in _PREDICTIONS if name in arrays}
        return self.predictions_kept[stage]

    def info(self, dataset: str) -> DatasetInfo | None:
        """Return what is known of a data set of the suite, also of one that is only pretrained on.

        Of several that are pretrained on together, it is that of the first, generated if one of them is.
        """
        if dataset not in self._infos:
            self._infos[dataset] = self._pretrained_on(dataset)
        return self._infos[dataset]

    def _pretrained_on(self, dataset: str) -> DatasetInfo | None:
        for table in self.suite.tables:
            for link in (link for arm in table.arms for link in arm.chain):
                if link.on and link.source("") == dataset:
                    infos = [self._info_of(named) for named in link.on]
                    generated = any(info and info.generated for info in infos)
                    return replace(infos[0], generated=generated) if infos[0] else None
        return None

    def _info_of(self, named: NamedDataset) -> DatasetInfo | None:
        made: Dataset = self.suite.plugins.registry.build(named.component, context=self.context)
        return made.info()

    def classes(self, dataset: str) -> tuple[str, ...]:
        """Return the class names of a data set; empty where it has no classes, or they are not known."""
        info = self.info(dataset)
        return info.classes if info and info.task is not Task.MULTI_LABEL else ()

    def marks(self, *datasets: str) -> list[str]:
        """Return what a reader must know of a figure that belongs to no comparison."""
        marks = [GENERATED] if any(info and info.generated for info in map(self.info, datasets)) else []
        if self.plan.epochs_scale < 1:
            marks.append(f"SCALED: epochs x {self.plan.epochs_scale:g}, not comparable with a full run")
        return marks

    def marks_of(self, result: TableResult, *datasets: str) -> tuple[str, ...]:
        """Return what a reader must know of the picture alone, of a figure of a comparison on some data sets."""
        return (*self.marks(*datasets), *(mark for mark in result.marks if mark == SHUFFLED))


def sentences(*parts: str) -> str:
    """Return the parts that are not empty as sentences, each with a capital and a full stop."""
    return " ".join(f"{part[0].upper()}{part[1:].rstrip('.')}." for part in parts if part)
