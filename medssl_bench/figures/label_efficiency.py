"""Label efficiency: a metric against the number of labelled images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from medssl_bench.figures.figure import ReportFigure, slug
from medssl_bench.figures.material import FigureSource, sentences
from medssl_bench.figures.style import COLUMN, GREY, PAGE, Look, legend_below, looks, new_figure, styled, wrapped
from medssl_bench.results.formats.judged_text import interval_note
from medssl_bench.results.formats.text import spread_note
from medssl_bench.results.metric_names import metric_name

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from medssl_bench.results.tables import Panel, TableResult
    from medssl_bench.suite.table import Table

NO_BARS = "one value each: one seed and draw, so there are no error bars"
_MOST = 3
_DASHES = ("--", ":", "-.")


@dataclass(frozen=True)
class Point:
    """A value at a label budget.

    Attributes:
        labels: number of labelled images, at least 1.
        mean: mean over seeds and draws.
        spread: half of its 95 % interval; without one, their sample standard deviation, 0 for a single value.
        published: the published number, or None.
    """

    labels: int
    mean: float
    spread: float
    published: float | None


@dataclass(frozen=True)
class EfficiencyPanel:
    """One data set.

    Attributes:
        dataset: its label.
        ticks: texts of the budgets by number of labelled images.
        selected_by: what the epochs of its arms are selected by, below the axis of labels.
        arms: points by arm, in ascending order of labels.
        floors: the same of the floors.
    """

    dataset: str
    ticks: dict[int, str]
    arms: dict[str, list[Point]]
    floors: dict[str, list[Point]]
    selected_by: str = ""


def label_efficiency_figures(source: FigureSource, table: Table, result: TableResult) -> Iterator[ReportFigure]:
    """Yield a figure for each metric, with a panel for each data set that has results of two budgets or more."""
    for metric in table.model.metrics:
        name = metric_name(metric)
        panels = [
            found
            for panel in result.panels
            if panel.metric == metric and len((found := efficiency_panel(result, panel)).ticks) > 1
        ]
        if not panels:
            source.left_out(f"{table.id}: label efficiency by {name}: no results of two label budgets or more")
            continue
        published = any(point.published is not None for p in panels for points in p.arms.values() for point in points)
        cells = [cell for panel in result.panels if panel.metric == metric for cell in panel.cells.values()]
        spread = interval_note(cells) or spread_note(cells)
        caption = sentences(
            f"test {name} against the number of labelled images, of {', '.join(p.dataset for p in panels)}",
            f"means; error bars are {spread[0].removeprefix('±: ')}" if spread else NO_BARS,
            "floors are dashed",
            f"hollow markers: published, {result.citation}" if published else "",
            *result.marks,
        )
        arms = [arm.name for arm in table.arms if not arm.floor]
        yield ReportFigure(
            slug(table.id, "label-efficiency", metric),
            f"{table.title}: label efficiency, {name}",
            caption,
            table.id,
            partial(draw_label_efficiency, panels, looks(arms), name),
            source.marks_of(result, *(panel.dataset for panel in panels)),
        )


def efficiency_panel(result: TableResult, panel: Panel) -> EfficiencyPanel:
    """Return the points of one data set and metric; "all" stands at its real number."""
    sizes = {budget: _labelled(result, panel, budget) for budget in panel.budgets}
    known = {budget: size for budget, size in sizes.items() if size}
    ticks: dict[int, str] = {}
    points: dict[str, list[Point]] = {}
    for arm in panel.arms:
        for budget, size in known.items():
            cell = panel.cells.get((arm, budget))
            if cell is not None and cell.mean is not None:
                spread = cell.judged.own.half() if cell.judged.own else cell.std or 0.0
                points.setdefault(arm, []).append(Point(size, cell.mean, spread, cell.reference))
                ticks[size] = budget
    ordered = {arm: sorted(found, key=lambda point: point.labels) for arm, found in points.items()}
    return EfficiencyPanel(
        panel.dataset,
        dict(sorted(ticks.items())),
        {arm: found for arm, found in ordered.items() if arm not in panel.floors},
        {arm: found for arm, found in ordered.items() if arm in panel.floors},
        _selected_by(result, panel.dataset),
    )


def _labelled(result: TableResult, panel: Panel, budget: str) -> int | None:
    """Return how many images a budget labels, by the results of the arms that use it; None while there is none."""
    other = {arm.name for arm in result.arms if arm.evaluator.name == "majority"}  # has all labels, whatever the budget
    found = (cell.labelled for arm, cell in panel.column(budget).items() if arm not in other)
    return next((labelled for labelled in found if labelled), None)


def _selected_by(result: TableResult, dataset: str) -> str:
    """Return what there is beside the labels of the axis; where it does not hold of all arms the caption says so."""
    return "" if result.selection is None else result.selection.on(dataset)


@styled
def draw_label_efficiency(panels: list[EfficiencyPanel], styles: dict[str, Look], name: str) -> Figure:
    """Draw a line for each arm with error bars, at most three data sets in a row.

    Args:
        panels: the data sets.
        styles: colour and marker by arm.
        name: what the metric is called.
    """
    columns = min(len(panels), _MOST)
    rows = -(-len(panels) // _MOST)
    figure = new_figure(PAGE if columns > 1 else COLUMN, 2.2 * rows + 0.1)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    handles: dict[str, Artist] = {}
    for place, panel in enumerate(panels):
        axes = grid.flat[place]
        _draw_panel(axes, panel, styles)
        if place % columns == 0:
            axes.set_ylabel(f"test {name}")
        handles |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    legend_below(figure, handles)
    return figure


def _draw_panel(axes: Axes, panel: EfficiencyPanel, styles: dict[str, Look]) -> None:
    from matplotlib.ticker import NullLocator

    axes.set_xscale("log")
    for number, (arm, points) in enumerate(panel.floors.items()):
        axes.plot(
            [point.labels for point in points],
            [point.mean for point in points],
            _DASHES[number % len(_DASHES)],
            color=GREY,
            linewidth=1,
            label=arm,
        )
    for arm, points in panel.arms.items():
        colour, marker, line = styles[arm]
        axes.errorbar(
            [point.labels for point in points],
            [point.mean for point in points],
            yerr=[point.spread for point in points],
            color=colour,
            marker=marker,
            linestyle=line,
            capsize=1.5,
            elinewidth=0.8,
            label=arm,
        )
        published = [(point.labels, point.published) for point in points if point.published is not None]
        if published:
            axes.plot(
                *zip(*published, strict=True),
                linestyle="none",
                marker=marker,
                markerfacecolor="none",
                markeredgecolor=colour,
                markersize=5.5,
            )
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(list(panel.ticks), [_tick(size, text) for size, text in panel.ticks.items()])
    axes.set_xlabel("\n".join(filter(None, ("labelled training images", wrapped(panel.selected_by, 34)))))
    axes.set_title(panel.dataset)


def _tick(size: int, budget: str) -> str:
    """Return a number of images, with the budget below it where that says something else."""
    return f"{size:,}" if budget == str(size) else f"{size:,}\n({budget})"
