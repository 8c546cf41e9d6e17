"""Confusion matrices of every arm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medssl_bench.figures.figure import ReportFigure, slug
from medssl_bench.figures.material import FigureSource, sentences
from medssl_bench.figures.predictions import Shown, shown_predictions
from medssl_bench.figures.style import COLUMN, PAGE, columns_of, new_figure, shortened, styled, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from medssl_bench.results.tables import TableResult
    from medssl_bench.suite.table import Table

_LEGIBLE = 12
"""Up to so many classes the cells hold counts."""


def confusion_figures(source: FigureSource, table: Table, result: TableResult) -> Iterator[ReportFigure]:
    """Yield a figure for each data set at the smallest and the largest budget that is drawn, with a panel per arm."""
    for shown in shown_predictions(source, table, "confusion matrices"):
        caption = sentences(
            f"confusion matrices on the {shown.images} test images of {shown.dataset}; {shown.labels} labels; "
            f"{shown.chance}",
            "rows are true classes, columns predicted ones; numbers are images, shades their share of the row",
            *result.marks,
        )
        yield ReportFigure(
            slug(table.id, "confusion", shown.dataset, shown.labels),
            f"{table.title}: confusion on {shown.dataset}, {shown.labels} labels",
            caption,
            table.id,
            partial(_draw, shown),
            source.marks_of(result, shown.dataset),
        )


def confusion_matrix(truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Return how many images of each true class (rows) were taken for each class (columns).

    Args:
        truth: (N,) true classes.
        predicted: (N,) predicted ones.
        classes: number of classes.
    """
    return np.bincount(truth * classes + predicted, minlength=classes**2).reshape(classes, classes)


def _draw(shown: Shown) -> Figure:
    matrices = {
        arm: confusion_matrix(truth[:, 0], scores.argmax(axis=1), len(shown.classes))
        for arm, (truth, scores) in shown.arms.items()
    }
    return draw_confusion(matrices, shown.classes)


@styled
def draw_confusion(matrices: Mapping[str, NDArray[np.int64]], classes: Sequence[str]) -> Figure:
    """Draw confusion matrices, at most three in a row; shades are shares of the true class.

    Args:
        matrices: (C, C) counts by name of the arm.
        classes: names of the classes.
    """
    columns = columns_of(len(matrices))
    rows = -(-len(matrices) // columns)
    width = PAGE if columns > 1 else COLUMN
    names = [shortened(name, 22) for name in classes]
    letters = 0.05 * max(map(len, names))  # inches that the longest name takes
    side = min((width - 1.1 - letters) / columns, 2.2)
    figure = new_figure(width, (side + 0.3) * rows + letters + 0.4)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(matrices) :]:
        axes.set_axis_off()
    image = None
    for place, (arm, matrix) in enumerate(matrices.items()):
        axes = grid.flat[place]
        totals = matrix.sum(axis=1, keepdims=True)
        shares = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        if len(classes) <= _LEGIBLE:
            _count(axes, matrix, shares)
        axes.set_title(wrapped(arm, 26))
        axes.spines[:].set_visible(False)
        left, bottom = place % columns == 0, place + columns >= len(matrices)
        axes.set_xticks(range(len(classes)), names if bottom else [], rotation=90, fontsize=5.5)
        axes.set_yticks(range(len(classes)), names if left else [], fontsize=5.5)
        axes.tick_params(length=0)
        axes.set_xlabel("predicted class" if bottom else "")
        axes.set_ylabel("true class" if left else "")
    if image is not None:
        figure.colorbar(image, ax=grid, label="share of the true class", shrink=0.6, aspect=25, pad=0.02)
    return figure


def _count(axes: Axes, matrix: NDArray[np.int64], shares: NDArray[np.float64]) -> None:
    size = 6 if len(matrix) <= 6 and matrix.max() < 10_000 else 4.5
    for (row, column), count in np.ndenumerate(matrix):
        colour = "white" if shares[row, column] > 0.55 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=size, in_layout=False)
