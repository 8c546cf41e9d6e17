"""The interval of a contrast of cells, from what each of their test images adds to the metric."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.results.crossed import Crossed, crossed
from medssl_bench.results.measured import Influence, Kept, influence_of
from medssl_bench.results.resampled_metrics import Resamples, resamples_of
from medssl_bench.statistics.interval import Estimate, estimate
from medssl_bench.statistics.resampled import Resampled, resampled

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
        values: (S, D, N) by training seed, label draw and test image; their mean is the contrast.
        groups: whether groups stand in the place of test images.
        fixed: kinds of chance that could vary the values and were not varied: ``seed``, ``draw``.
    """

    values: NDArray[np.float64]
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
        return estimate(found.values, groups=found.groups, fixed=found.fixed)

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
        groups = False
        for stages in shared.folds:
            table = self._fold(terms, stages)
            if isinstance(table, str):
                return table
            values, groups = table
            found.append(values)
        images = sum(values.shape[2] for values in found)
        weighted = [values * images / (len(found) * values.shape[2]) for values in found]
        return ValueTable(np.concatenate(weighted, 2), groups, fixed)

    def resampled(self, terms: Sequence[tuple[float, Cell]]) -> Resampled | str:
        """Return the same for a metric that is resampled: a mean with an interval that no p-value is made of.

        Args:
            terms: one cell or more, each with its weight, such as 1 or -1.
        """
        layout = self._layout(terms)
        if isinstance(layout, str):
            return layout
        shared, fixed = layout
        total: NDArray[np.float64] | float = 0.0
        images, groups = 0, False
        for stages in shared.folds:
            found = [[self._resamples(terms, of_draw) for of_draw in of_seed] for of_seed in stages]
            every = [each for row in found for each in row]
            reasons = [each for each in every if isinstance(each, str)]
            known = [each for each in every if not isinstance(each, str)]
            if reasons or len({each.truth for each in known}) > 1:
                return reasons[0] if reasons else _OTHER_IMAGES
            images, groups = images + known[0].images, known[0].groups
            values = np.array([each.values for each in known]).reshape(len(found), len(found[0]), -1)
            total = total + values / len(shared.folds)
        table = np.asarray(total)
        return resampled(table[:, :, 1:], float(table[:, :, 0].mean()), images, groups=groups, fixed=fixed)

    def _resamples(self, terms: Sequence[tuple[float, Cell]], stages: tuple[str, ...]) -> Resamples | str:
        """Return a contrast of a seed, draw and fold over resampled test images."""
        total: Resamples | None = None
        for (weight, cell), stage in zip(terms, stages, strict=True):
            record, metric = self._results.record(stage), self.metrics.get(cell.metric)
            info = self.plan.datasets.get(cell.dataset)
            if record is None or metric is None or info is None or info.task not in metric.tasks:
                return "the data set cannot be seen, so its task is not known"
            left_out = self._results.left_out(stage).tobytes()
            found = resamples_of(cell.metric, metric, Kept(record, self.store), info.task, left_out)
            if isinstance(found, str):
                return found
            if total is not None and total.truth != found.truth:
                return _OTHER_IMAGES
            before = 0.0 if total is None else total.values
            total = replace(found, values=before + weight * found.values)
        assert total is not None
        return total

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

    def is_resampled(self, metric: str) -> bool:
        """Return whether the intervals of a metric are made by resampling."""
        found = self.metrics.get(metric)
        return found is not None and found.resampled and found.influence is None

    def _fold(
        self, terms: Sequence[tuple[float, Cell]], stages: Sequence[Sequence[tuple[str, ...]]]
    ) -> tuple[NDArray[np.float64], bool] | str:
        """Return the values of a fold, (S, D, N), and whether they are of groups; or why there are none."""
        rows = []
        truths = set()
        groups = False
        for of_seed in stages:
            row = []
            for of_draw in of_seed:
                total: NDArray[np.float64] | float = 0.0
                for (weight, cell), stage in zip(terms, of_draw, strict=True):
                    found = self._influence(stage, cell)
                    if isinstance(found, str):
                        return found
                    truths.add(found.truth)
                    groups = found.groups
                    total = (total + weight * found.values) if len(truths) == 1 else 0.0
                row.append(total)
            rows.append(row)
        if len(truths) > 1:
            return _OTHER_IMAGES
        return np.array(rows, np.float64), groups

    def _influence(self, stage: str, cell: Cell) -> Influence | str:
        record = self._results.record(stage)
        if record is None:
            return "not finished"
        info = self.plan.datasets.get(cell.dataset)
        task = info.task if info else None
        metric = self.metrics.get(cell.metric)
        return influence_of(cell.metric, metric, record, self.store, task, self._results.left_out(stage))
