"""The interval of a contrast of cells, from what each of their test images adds to the metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.results.measured import NO_PLACES, Influence, influence_of
from medssl_bench.statistics.interval import Estimate, estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from medssl_bench.metrics import Metric
    from medssl_bench.plan.chance import Chance
    from medssl_bench.plan.stage import Plan
    from medssl_bench.results.cells import Cell, Results
    from medssl_bench.store.store import Store


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
        self._plan, self._store, self._results, self._metrics = plan, store, results, metrics

    def of(self, terms: Sequence[tuple[int, Cell]]) -> Estimate | str:
        """Return the mean of a contrast with its variance, or why there is none.

        Args:
            terms: one cell or more, each with its sign, 1 or -1.
        """
        found = self.table(terms)
        if isinstance(found, str):
            return found
        return estimate(found.values, groups=found.groups, fixed=found.fixed)

    def table(self, terms: Sequence[tuple[int, Cell]]) -> ValueTable | str:
        """Return the values of a contrast by training seed, label draw and test image, or why there are none.

        A kind of chance by which no cell of the contrast can vary is left out of it. Folds have test images of their
        own, which stand side by side; that folds share training images is not in the table.

        Args:
            terms: one cell or more, each with its sign, 1 or -1.
        """
        cells = [cell for _, cell in terms]
        if any(not cell.is_whole for cell in cells):
            return "not finished"
        places = [place for place in cells[0].stages if all(place in cell.stages for cell in cells)]
        seeds, draws, folds = (list(dict.fromkeys(place[axis] for place in places)) for axis in range(3))
        if not places or len(places) != len(seeds) * len(draws) * len(folds):
            return "its arms do not share all training seeds and label draws"
        by_place: dict[tuple[int | None, ...], tuple[str, ...]] = {
            tuple(place): tuple(cell.stages[place] for cell in cells) for place in places
        }
        if all(by_place[seed, d, f] == by_place[seeds[0], d, f] for seed, d, f in by_place):
            seeds = seeds[:1]
        if all(by_place[s, draw, f] == by_place[s, draws[0], f] for s, draw, f in by_place):
            draws = draws[:1]
        fixed = frozenset(
            axis
            for axis, numbers in (("seed", seeds), ("draw", draws))
            if len(numbers) == 1 and self._could_vary(axis, cells, places)
        )
        found: list[NDArray[np.float64]] = []
        groups = False
        for fold in folds:
            table = self._fold(terms, [[by_place[s, d, fold] for d in draws] for s in seeds])
            if isinstance(table, str):
                return table
            values, groups = table
            found.append(values)
        images = sum(values.shape[2] for values in found)
        weighted = [values * images / (len(folds) * values.shape[2]) for values in found]
        return ValueTable(np.concatenate(weighted, 2), groups, fixed)

    def _could_vary(self, axis: str, cells: Sequence[Cell], places: Sequence[Chance]) -> bool:
        """Return whether another seed or draw would have given other values, though there is only one."""
        numbers = {getattr(place, axis) for place in places}
        return len(numbers) == 1 and any(self._depends(cell.stages[places[0]], axis) for cell in cells)

    def _depends(self, stage: str, axis: str) -> bool:
        """Return whether a stage, or one that it builds on, is decided by a seed or a draw."""
        found = self._plan.stages[stage]
        own = found.identity.get(axis) is not None or (found.identity.get("encoder") or {}).get(axis) is not None
        return own or any(self._depends(parent, axis) for parent in found.parents)

    def _fold(
        self, terms: Sequence[tuple[int, Cell]], stages: list[list[tuple[str, ...]]]
    ) -> tuple[NDArray[np.float64], bool] | str:
        """Return the values of a fold, (S, D, N), and whether they are of groups; or why there are none."""
        rows = []
        truths = set()
        groups = False
        for of_seed in stages:
            row = []
            for of_draw in of_seed:
                total: NDArray[np.float64] | float = 0.0
                for (sign, cell), stage in zip(terms, of_draw, strict=True):
                    found = self._influence(stage, cell)
                    if isinstance(found, str):
                        return found
                    truths.add(found.truth)
                    groups = found.groups
                    total = (total + sign * found.values) if len(truths) == 1 else 0.0
                row.append(total)
            rows.append(row)
        if len(truths) > 1:
            return "its results are of different test images"
        return np.array(rows, np.float64), groups

    def _influence(self, stage: str, cell: Cell) -> Influence | str:
        record = self._results.record(stage)
        if record is None:
            return "not finished"
        info = self._plan.datasets.get(cell.dataset)
        left_out = self._results.left_out(stage)
        task = info.task if info else None
        metric = self._metrics.get(cell.metric)
        return influence_of(cell.metric, metric, record, self._store, task, left_out if len(left_out) else NO_PLACES)
