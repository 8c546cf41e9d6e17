"""How many labels an arm saves, against the baseline: from its means at several label budgets."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from medssl_bench.statistics.label_efficiency import area, ends, rising, saved
from medssl_bench.statistics.varied_curves import VariedCurves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from medssl_bench.results.cells import Cell
    from medssl_bench.results.intervals import Intervals
    from medssl_bench.results.tables import Panel, TableResult

Bound = Literal["", "more", "less"]


@dataclass(frozen=True)
class Ends:
    """A 95 % interval; an end is None where the label budgets do not bound it."""

    low: float | None
    high: float | None


@dataclass(frozen=True)
class Saving:
    """How many times fewer labels an arm needs, to reach the value of the baseline at a budget.

    Attributes:
        labels: text of the budget.
        ratio: labels of the baseline by those of the arm.
        bound: whether the ratio is ``more`` than that, as the arm is better already with the fewest labels that were
            run, or ``less``, as it is worse with the most; else an empty string. Nothing is extrapolated.
        interval: of the ratio; None without one.
    """

    labels: str
    ratio: float
    bound: Bound = ""
    interval: Ends | None = None


@dataclass(frozen=True)
class LabelEfficiency:
    """The curve of an arm over the numbers of labels, on one data set, against that of the baseline.

    Attributes:
        comparison: id of the comparison.
        dataset: label of the data set.
        metric: name of the metric.
        arm: name of the arm.
        baseline: name of the baseline.
        budgets: numbers of labelled images by text of the label budget, ascending: those at which every arm but floors
            has all its values.
        area: mean of the metric over the logarithm of the number of labels; where lower is better, lower is.
        difference: that area minus the baseline's.
        area_interval: 95 %, or None.
        difference_interval: likewise.
        saved: one for each budget.
        left_out: kinds of chance that the intervals lack, as they were not varied.
    """

    comparison: str
    dataset: str
    metric: str
    arm: str
    baseline: str
    budgets: dict[str, int]
    area: float
    difference: float
    area_interval: Ends | None
    difference_interval: Ends | None
    saved: tuple[Saving, ...]
    left_out: tuple[str, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return asdict(self) | {"saved": [asdict(each) for each in self.saved], "left_out": list(self.left_out)}


def label_efficiency(table: TableResult, intervals: Intervals | None) -> list[LabelEfficiency]:
    """Return the label efficiency of each arm but floors by the first metric, against the baseline, by data set.

    There is none with fewer than two label budgets at which every arm has all its values.

    Args:
        table: the comparison.
        intervals: where values by seed, draw and test image come from; None: there are no intervals.
    """
    metric = table.panels[0].metric
    if table.baseline is None:
        return []
    panels = [panel for panel in table.panels if panel.metric == metric]
    return [found for panel in panels for found in _of_panel(table.id, table.baseline, panel, intervals)]


def _of_panel(comparison: str, baseline: str, panel: Panel, intervals: Intervals | None) -> list[LabelEfficiency]:
    columns, budgets = _common(panel, baseline)
    if len(budgets) < 2 or len(columns[0]) < 2:
        return []
    logs, arms = np.log(list(budgets.values())), list(columns[0])
    turn = 1.0 if panel.higher_is_better else -1.0
    means = turn * np.array([[column[arm].mean for column in columns] for arm in arms], np.float64)
    varied = _varied(columns, intervals)
    place = arms.index(baseline)
    found = []
    for number, arm in enumerate(arms):
        if arm == baseline:
            continue
        both = [number, place]
        points = area(logs, means[both])
        areas = varied.areas(logs, both) if varied else None
        curves = turn * varied.curves(logs, both) if varied else None
        found.append(
            LabelEfficiency(
                comparison,
                panel.dataset,
                panel.metric,
                arm,
                baseline,
                budgets,
                turn * float(points[0]),
                turn * float(points[0] - points[1]),
                Ends(*areas[0].interval()) if areas else None,
                Ends(*areas[1].interval()) if areas else None,
                tuple(_savings(logs, list(budgets), means[both], curves)),
                varied.left_out if varied else (),
            )
        )
    return found


def _common(panel: Panel, baseline: str) -> tuple[list[dict[str, Cell]], dict[str, int]]:
    """Return the columns, without floors, in which every arm has all its values, by ascending number of labels."""
    found: dict[int, tuple[str, dict[str, Cell]]] = {}
    for budget in panel.budgets:
        column = {arm: cell for arm, cell in panel.column(budget).items() if arm not in panel.floors}
        labelled = column[baseline].labelled if baseline in column else None
        if labelled and all(cell.is_whole for cell in column.values()):
            found.setdefault(labelled, (budget, column))
    ordered = [(size, *found[size]) for size in sorted(found)]
    alike = [each for each in ordered if each[2].keys() == ordered[0][2].keys()]
    return [column for _, _, column in alike], {budget: size for size, budget, _ in alike}


def _varied(columns: Sequence[dict[str, Cell]], intervals: Intervals | None) -> VariedCurves | None:
    """Return how the curves vary with training seeds, label draws and test images, or None where that is not known."""
    if intervals is None or len({frozenset(cell.stages) for column in columns for cell in column.values()}) > 1:
        return None
    tables = [[intervals.table([(1, cell)]) for cell in column.values()] for column in columns]
    known = [[table for table in column if not isinstance(table, str)] for column in tables]
    values = [[table.values for table in column] for column in known]
    sizes = {each.shape[2] for column in values for each in column}
    if len(sizes) != 1 or any(len(one) < len(every) for one, every in zip(known, tables, strict=True)):
        return None
    left_out = sorted({axis for column in known for table in column for axis in table.fixed})
    return VariedCurves.of(values, known[0][0].images, tuple(left_out))


def _savings(
    logs: NDArray[np.float64],
    budgets: Sequence[str],
    means: NDArray[np.float64],
    resampled: NDArray[np.float64] | None,
) -> list[Saving]:
    arm, baseline = rising(means)
    curves = None if resampled is None else (rising(resampled[:, 0]), rising(resampled[:, 1]))
    found = []
    for number, budget in enumerate(budgets):
        low, high = (float(end) for end in saved(logs, arm, baseline, baseline[number]))
        bound: Bound = "" if low == high else "more" if low else "less"
        interval = None
        if curves is not None:
            least, most = ends(*saved(logs, *curves, curves[1][:, number]))
            interval = Ends(least or None, most if isfinite(most) else None)
        found.append(Saving(budget, high if bound == "less" else low, bound, interval))
    return found
