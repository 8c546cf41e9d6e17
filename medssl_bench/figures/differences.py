"""Arms by data sets: the paired differences to the baseline, as colours with numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from medssl_bench.figures.figure import ReportFigure, slug
from medssl_bench.figures.material import FigureSource, sentences
from medssl_bench.figures.style import PAGE, new_figure, shortened, styled
from medssl_bench.results.formats.text import signed
from medssl_bench.results.metric_names import metric_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

    from medssl_bench.results.tables import Panel, TableResult
    from medssl_bench.suite.table import Table

_CELL, _ROW = 0.35, 0.155
"""Inches that a cell is wide, at most, and high."""

_BAR = 2.2
"""Inches that the scale of colours is long, at most."""

_NAME, _DATASET = 30, 18
"""Letters of a name, at most."""

_COLOURS = "PuOr_r"
"""Purple below, orange above; readers with any kind of colour vision tell them apart."""

_STRONG = 0.6
"""From this share of the largest difference on, a cell is so dark that its number is white."""

_PART = "°"


@dataclass(frozen=True)
class Difference:
    """A cell of the grid.

    Attributes:
        mean: of the paired differences, as the metric has it.
        whole: whether all values of both arms are there.
        told: whether the verdict is that the arm is better or worse.
    """

    mean: float
    whole: bool
    told: bool = False


@dataclass(frozen=True)
class DifferenceGrid:
    """The grid of one label budget.

    Attributes:
        labels: text of the budget.
        cells: by arm and data set; pairs that are not there are left out.
    """

    labels: str
    cells: dict[tuple[str, str], Difference]


def difference_figures(source: FigureSource, table: Table, result: TableResult) -> Iterator[ReportFigure]:
    """Yield a figure for each metric of a comparison with a baseline and several data sets: a grid for each budget."""
    arms = [arm.name for arm in table.arms if arm.name != result.baseline]
    datasets = list(dict.fromkeys(panel.dataset for panel in result.panels))
    if result.baseline is None or len(datasets) < 2:
        return
    for metric in table.model.metrics:
        panels = [panel for panel in result.panels if panel.metric == metric]
        name = metric_name(metric)
        grids = difference_grids(panels, result.baseline)
        if not grids:
            source.left_out(f"{table.id}: differences by {name}: no arm has values that pair with the baseline's")
            continue
        lower = not all(panel.higher_is_better for panel in panels)
        partial_values = any(not cell.whole for grid in grids for cell in grid.cells.values())
        caption = sentences(
            f"mean paired difference in test {name} to “{result.baseline}”, of the same seeds and draws; a row for "
            f"each arm, a column for each data set ({', '.join(datasets)}), a grid for each label budget",
            "orange: better than the baseline; purple: worse; one scale for all grids",
            "lower is better, so orange is below 0" if lower else "",
            f"{_PART}: values of one of the two are missing" if partial_values else "",
            "empty: nothing pairs",
            "bold: better or worse after Holm's adjustment; the others may be chance"
            if any(cell.told for grid in grids for cell in grid.cells.values())
            else "none of them is judged to be more than chance",
            *result.marks,
        )
        yield ReportFigure(
            slug(table.id, "differences", metric),
            f"{table.title}: differences to {result.baseline}, {name}",
            caption,
            table.id,
            partial(draw_differences, grids, arms, datasets, f"{name} minus that of {result.baseline}", lower=lower),
            source.marks_of(result, *datasets),
        )


def difference_grids(panels: Sequence[Panel], baseline: str) -> list[DifferenceGrid]:
    """Return the differences of the leaderboard by label budget, without budgets for which there is none.

    Args:
        panels: of one metric, one for each data set.
        baseline: the arm that the differences are to.
    """
    found = []
    for labels in dict.fromkeys(labels for panel in panels for labels in panel.budgets):
        cells = {
            (arm, panel.dataset): Difference(
                cell.difference,
                cell.is_whole and panel.cells[baseline, labels].is_whole,
                cell.judged.told.startswith(("better", "worse")),
            )
            for panel in panels
            for arm, cell in panel.column(labels).items()
            if cell.difference is not None
        }
        found += [DifferenceGrid(labels, cells)] if cells else []
    return found


@styled
def draw_differences(
    grids: Sequence[DifferenceGrid], arms: Sequence[str], datasets: Sequence[str], name: str, *, lower: bool = False
) -> Figure:
    """Draw the grids beside each other, as many as fit a page, on one scale of colours.

    Args:
        grids: one for each label budget.
        arms: the rows, in order.
        datasets: the columns, in order.
        name: what the differences are of.
        lower: whether lower is better, so that a difference below 0 has the colour of better ones.
    """
    import numpy as np

    names = 0.052 * min(_NAME, max(map(len, arms))) + 0.1  # inches that the longest name takes
    room = PAGE - names - 0.75
    width = min(_CELL, room / len(datasets))
    columns = min(len(grids), max(1, int(room / (width * len(datasets) + 0.12))))
    rows = -(-len(grids) // columns)
    below = 0.05 * min(_DATASET, max(map(len, datasets)))
    total = names + 0.75 + columns * (width * len(datasets) + 0.12)
    height = (_ROW * len(arms) + 0.3) * rows + below + 0.2
    figure = new_figure(min(total, PAGE), height)
    drawn = figure.subplots(rows, columns, squeeze=False)
    for axes in drawn.flat[len(grids) :]:
        axes.set_axis_off()
    most = max(abs(cell.mean) for grid in grids for cell in grid.cells.values()) or 1.0
    image: AxesImage | None = None
    for place, grid in enumerate(grids):
        axes = drawn.flat[place]
        values = np.full((len(arms), len(datasets)), np.nan)
        for (arm, dataset), cell in grid.cells.items():
            values[arms.index(arm), datasets.index(dataset)] = cell.mean
        colours = _COLOURS if not lower else _COLOURS.removesuffix("_r")
        image = axes.imshow(values, cmap=colours, vmin=-most, vmax=most, aspect="auto")
        _write(axes, grid, arms, datasets, most, min(5.5, 72 * width / 4.2))
        left, bottom = place % columns == 0, place + columns >= len(grids)
        axes.set_title(f"{grid.labels} labels")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        axes.set_yticks(range(len(arms)), [shortened(arm, _NAME) for arm in arms] if left else [], fontsize=6)
        axes.set_xticks(
            range(len(datasets)),
            [shortened(dataset, _DATASET) for dataset in datasets] if bottom else [],
            rotation=90,
            fontsize=6,
        )
    if image is not None:
        bar = figure.colorbar(image, ax=drawn, shrink=min(1.0, _BAR / height), aspect=25, pad=0.02)
        bar.set_label(shortened(name, 46), fontsize=6)
        bar.ax.tick_params(labelsize=5.5)
    return figure


def _write(
    axes: Axes, grid: DifferenceGrid, arms: Sequence[str], datasets: Sequence[str], most: float, size: float
) -> None:
    for (arm, dataset), cell in grid.cells.items():
        text = signed(cell.mean) + ("" if cell.whole else _PART)
        colour = "white" if abs(cell.mean) > _STRONG * most else "black"
        place = datasets.index(dataset), arms.index(arm)
        weight = "bold" if cell.told else "normal"
        axes.text(
            *place, text, ha="center", va="center", color=colour, fontsize=size, fontweight=weight, in_layout=False
        )
