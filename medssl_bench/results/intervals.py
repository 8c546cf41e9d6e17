"""The interval of a contrast of cells, from what each of their test images adds to the metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.results.crossed import Crossed, crossed
from medssl_bench.results.measured import Influence, Kept, influence_of
from medssl_bench.results.resampled_metrics import resampled_influence
from medssl_bench.statistics.interval import Estimate, estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from medssl_bench.metrics import Metric
    from medssl_bench.plan.stage import Plan
    from medssl_bench.results.cells import Cell, Results
    from medssl_bench.store.store import Store

_OTHER_IMAGES = "its results are of different test images"


@dataclass(frozen=True)
class ValueTable:
    """The values of a contrast.

    Attributes:
        values: (S, D, N) by training seed, label draw and test image, or resample of these; their mean is the contrast.
        images: number of test images, or of groups.
        groups: whether these are groups.
        fixed: kinds of chance that could vary the values and were not varied: ``seed``, ``draw``.
    """

    values: NDArray[np.float64]
    images: int
    groups: bool = False
    fixed: frozenset[str] = frozenset()


class Intervals:
    """Computes intervals of contrasts.

    Args:
        plan: whose trials.
        store: where predictions are.
        results: what was measured.
        metrics: of the comparison, by name.
    """

    def __init__(self, plan: Plan, store: Store, results: Results, metrics: Mapping[str, Metric]) -> None:
        self.plan, self.store, self._results, self.metrics = plan, store, results, metrics

    def of(self, terms: Sequence[tuple[float, Cell]]) -> Estimate | str:
        """Return the mean of a contrast with its variance, or why there is none.

        Args:
            terms: one cell or more, each with its weight, such as 1 or -1.
        """
        found = self.table(terms)
        if isinstance(found, str):
            return found
        return estimate(found.values, images=found.images, groups=found.groups, fixed=found.fixed)

    def table(self, terms: Sequence[tuple[float, Cell]]) -> ValueTable | str:
        """Return the values of a contrast by training seed, label draw and test image, or why there are none.

        A kind of chance by which no cell of the contrast can vary is left out of it. Folds have test images of their
        own, which stand side by side; that folds share training images is not in the table.

        Args:
            terms: one cell or more, each with its weight, such as 1 or -1.
        """
        layout = self._layout(terms)
        if isinstance(layout, str):
            return layout
        shared, fixed = layout
        found: list[NDArray[np.float64]] = []
        images, groups = 0, False
        for stages in shared.folds:
            table = self._fold(terms, stages)
            if isinstance(table, str):
                return table
            found.append(table.values)
            images, groups = images + table.images, table.groups
        total = sum(values.shape[2] for values in found)
        weighted = [values * total / (len(found) * values.shape[2]) for values in found]
        return ValueTable(np.concatenate(weighted, 2), images, groups, fixed)

    def _layout(self, terms: Sequence[tuple[float, Cell]]) -> tuple[Crossed, frozenset[str]] | str:
        """Return the stages that the cells share, and the kinds of chance not varied; or why there are none."""
        cells = [cell for _, cell in terms]
        if any(not cell.is_whole for cell in cells):
            return "not finished"
        shared = crossed(cells)
        if shared is None:
            return "its arms do not share all training seeds and label draws"
        first = shared.folds[0][0][0]
        fixed = frozenset(
            axis
            for axis in shared.alone
            if any(self.plan.is_decided_by(self.plan.stages[stage], axis) for stage in first)
        )
        return shared, fixed

    def _fold(
        self, terms: Sequence[tuple[float, Cell]], stages: Sequence[Sequence[tuple[str, ...]]]
    ) -> ValueTable | str:
        """Return the values of a fold, or why there are none."""
        rows = []
        truths = set()
        images, groups = 0, False
        for of_seed in stages:
            row = []
            for of_draw in of_seed:
                total: NDArray[np.float64] | float = 0.0
                for (weight, cell), stage in zip(terms, of_draw, strict=True):
                    found = self._influence(stage, cell)
                    if isinstance(found, str):
                        return found
                    truths.add(found.truth)
                    images, groups = found.images, found.groups
                    total = (total + weight * found.values) if len(truths) == 1 else 0.0
                row.append(total)
            rows.append(row)
        if len(truths) > 1:
            return _OTHER_IMAGES
        return ValueTable(np.array(rows, np.float64), images, groups)

    def _influence(self, stage: str, cell: Cell) -> Influence | str:
        record = self._results.record(stage)
        if record is None:
            return "not finished"
        info = self.plan.datasets.get(cell.dataset)
        task = info.task if info else None
        metric = self.metrics.get(cell.metric)
        left_out = self._results.left_out(stage)
        if metric is not None and metric.is_resampled and task in metric.tasks:
            return resampled_influence(cell.metric, metric, Kept(record, self.store), task, left_out.tobytes())
        return influence_of(cell.metric, metric, record, self.store, task, left_out)
