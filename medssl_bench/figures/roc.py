"""ROC curves of every arm: each class against the rest, and their mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medssl_bench.figures.figure import ReportFigure, slug
from medssl_bench.figures.material import FigureSource, sentences
from medssl_bench.figures.predictions import Shown, shown_predictions
from medssl_bench.figures.style import (
    COLUMN,
    GREY,
    PAGE,
    columns_of,
    look,
    new_figure,
    shortened,
    styled,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from medssl_bench.results.tables import TableResult
    from medssl_bench.suite.table import Table


@dataclass(frozen=True)
class Roc:
    """A ROC curve.

    Attributes:
        false: (P,) false-positive rates, ascending from 0 to 1.
        true: (P,) true-positive rates.
        area: under the curve.
    """

    false: NDArray[np.float64]
    true: NDArray[np.float64]
    area: float


def roc_figures(source: FigureSource, table: Table, result: TableResult) -> Iterator[ReportFigure]:
    """Yield a figure for each data set at the smallest and the largest budget that is drawn, with a panel per arm."""
    for shown in shown_predictions(source, table, "ROC curves"):
        caption = sentences(
            f"ROC curves on the {shown.images} test images of {shown.dataset}, each class against the rest; "
            f"{shown.labels} labels; {shown.chance}",
            "thick and dashed: mean over classes; numbers: area under the curve",
            *result.marks,
        )
        yield ReportFigure(
            slug(table.id, "roc", shown.dataset, shown.labels),
            f"{table.title}: ROC curves on {shown.dataset}, {shown.labels} labels",
            caption,
            table.id,
            partial(_draw, shown),
            source.marks_of(result, shown.dataset),
        )


def rocs(truth: NDArray[np.int64], scores: NDArray[Any]) -> dict[int, Roc]:
    """Return the ROC curve of each class against the rest, by class; a class without images, or with all, has none.

    Args:
        truth: (N,) true classes.
        scores: (N, C) scores of the classes.
    """
    found = {}
    for number in range(scores.shape[1]):
        ours = truth == number
        if ours.any() and not ours.all():
            found[number] = _roc(ours, scores[:, number])
    return found


def _roc(ours: NDArray[np.bool_], scores: NDArray[Any]) -> Roc:
    """Return the curve of one class, as scikit-learn's `roc_curve` (which takes seconds to import) and `auc` give it.

    A point for each score that occurs; those on a straight line between their neighbours are left out.
    """
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # image of each score
    true = np.cumsum(ours[order])[last]
    false = 1 + last - true
    if len(false) > 2:
        corners = np.flatnonzero(np.concatenate([[True], (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0), [True]]))
        true, false = true[corners], false[corners]
    rates = np.append(0, false) / false[-1], np.append(0, true) / true[-1]
    area = float((np.diff(rates[0]) * (rates[1][1:] + rates[1][:-1])).sum() / 2)  # by trapezia
    return Roc(*rates, area)


def mean_roc(curves: Sequence[Roc]) -> Roc:
    """Return the mean of curves: of their true-positive rates at each false-positive rate, and of their areas.

    Args:
        curves: one or more.
    """
    false = np.unique(np.concatenate([curve.false for curve in curves]))
    true = np.mean([np.interp(false, curve.false, curve.true) for curve in curves], axis=0)
    start = np.concatenate([[0.0], false]), np.concatenate([[0.0], true])
    return Roc(*start, float(np.mean([curve.area for curve in curves])))


def _draw(shown: Shown) -> Figure:
    curves = {arm: rocs(truth[:, 0], scores) for arm, (truth, scores) in shown.arms.items()}
    return draw_rocs(curves, shown.classes)


@styled
def draw_rocs(arms: Mapping[str, Mapping[int, Roc]], classes: Sequence[str]) -> Figure:
    """Draw ROC curves, a panel for each arm, at most three in a row; areas stand below each panel.

    Args:
        arms: curves by class, by name of the arm.
        classes: names of the classes.
    """
    columns = columns_of(len(arms))
    rows = -(-len(arms) // columns)
    lines = -(-(len(classes) + 1) // 2)
    width = PAGE if columns > 1 else COLUMN
    side = (width - 0.3) / columns - 0.2
    figure = new_figure(width, (side + 0.6 + 0.115 * lines) * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(arms) :]:
        axes.set_axis_off()
    for place, (arm, curves) in enumerate(arms.items()):
        _draw_panel(grid.flat[place], curves, classes)
        grid.flat[place].set_title(wrapped(arm, 34))
        if place % columns == 0:
            grid.flat[place].set_ylabel("true-positive rate")
    return figure


def _draw_panel(axes: Axes, curves: Mapping[int, Roc], classes: Sequence[str]) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.6, linestyle=":")
    for number, found in curves.items():
        style = look(number)
        label = f"{shortened(classes[number], 20)} {found.area:.2f}"
        axes.plot(found.false, found.true, style.line, color=style.colour, linewidth=0.9, label=label)
    if curves:
        mean = mean_roc(list(curves.values()))
        axes.plot(mean.false, mean.true, "--", color="black", linewidth=2, label=f"mean {mean.area:.3f}")
    axes.set_aspect("equal")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("false-positive rate")
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.47, -0.19), ncols=2, fontsize=5, handlelength=1.2, columnspacing=0.8
    )
