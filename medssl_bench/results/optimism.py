"""How much better the best epoch on test would have looked than the one that was chosen, where a comparison spies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from medssl_bench.errors import UserError
from medssl_bench.metrics.builtin import RECORDED
from medssl_bench.results.crossed import crossed
from medssl_bench.statistics.interval import Estimate, estimate
from medssl_bench.statistics.layout import without_images
from medssl_bench.store.arrays import load_history

if TYPE_CHECKING:
    from collections.abc import Iterable

    from medssl_bench.results.cells import Cell, Results
    from medssl_bench.store.store import Store


@dataclass(frozen=True)
class Optimism:
    """One metric of an arm at three epochs of each of its trainings; means over these.

    Attributes:
        dataset: label of the data set.
        labels: text of the label budget.
        arm: name of the arm.
        metric: name of the metric.
        n: how many trainings.
        epochs: how many epochs of a training were looked at, at most; of one there is nothing to choose.
        last: on test after the last epoch that was looked at.
        chosen: on test at the epoch that counts.
        best: on test at the epoch that is best on test.
        gain: best minus chosen, paired by training, with its variance for other seeds and draws; test images are not
            in it. None for a single training.
    """

    dataset: str
    labels: str
    arm: str
    metric: str
    n: int
    epochs: int
    last: float
    chosen: float
    best: float
    gain: Estimate | None

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON-able data; the interval is at 95 %."""
        low, high = self.gain.interval() if self.gain else (None, None)
        names = ("dataset", "labels", "arm", "metric", "n", "epochs", "last", "chosen", "best")
        told = {name: getattr(self, name) for name in names}
        return {**told, "optimism": self.best - self.chosen, "optimism_low": low, "optimism_high": high}


def optimism_of(cells: Iterable[Cell], results: Results, store: Store) -> list[Optimism]:
    """Return the optimism of each cell whose trainings were spied on; of others there is none.

    Args:
        cells: those of metrics that histories have count: accuracy, AUROC and balanced accuracy.
        results: what was measured.
        store: where histories are.
    """
    found = [_of(cell, results, store) for cell in cells if cell.metric in RECORDED]
    return [each for each in found if each is not None]


def _of(cell: Cell, results: Results, store: Store) -> Optimism | None:
    shared = crossed([cell]) if cell.is_whole else None
    if shared is None:
        return None
    folds = []
    for stages in shared.folds:
        table = [[_epochs(stage, cell.metric, results, store) for (stage,) in of_seed] for of_seed in stages]
        if any(each is None for row in table for each in row):
            return None
        folds.append(table)
    every = np.array(folds, np.float64)  # (folds, S, D, 4)
    values = every.mean(0)
    last, chosen, best, _ = values.mean((0, 1))
    gains = values[:, :, 2] - values[:, :, 1]
    gain = estimate(without_images(gains), fixed=frozenset(shared.alone)) if gains.size > 1 else None
    return Optimism(
        cell.dataset,
        cell.labels,
        cell.arm,
        cell.metric,
        cell.n,
        int(every[..., 3].max()),
        float(last),
        float(chosen),
        float(best),
        gain,
    )


def _epochs(stage: str, metric: str, results: Results, store: Store) -> tuple[float, float, float, int] | None:
    """Return the metric on test after the last epoch, at the one that counts and at the best, and how many there are.

    None if it was not spied on.
    """
    record = results.record(stage)
    if record is None or "history.json" not in record.files:
        return None
    try:
        rows = load_history(store.checked(record.key, "history.json"))
    except UserError:
        return None
    spied = [row for row in rows if f"test_{metric}" in row]
    if not spied or len(spied) != len(rows):
        return None
    selected = record.metrics.get("selected_epoch")
    chosen = [row[f"test_{metric}"] for row in spied if row["epoch"] == selected]
    if not chosen:
        return None
    return spied[-1][f"test_{metric}"], chosen[0], max(row[f"test_{metric}"] for row in spied), len(spied)
