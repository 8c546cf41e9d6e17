"""A forest plot: the differences to the baseline with their intervals, one below the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from medssl_bench.figures.figure import ReportFigure, slug
from medssl_bench.figures.material import FigureSource, sentences
from medssl_bench.figures.style import GREY, PAGE, PALETTE, new_figure, shortened, styled
from medssl_bench.results.formats.judged_text import interval_note
from medssl_bench.results.metric_names import metric_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from medssl_bench.results.tables import Panel, TableResult
    from medssl_bench.suite.table import Table

_ROW, _HEAD = 0.15, 0.4
"""Inches of an arm, and of the title of a panel with its axis."""

_HIGHEST = 9.0
"""Inches of a figure, at most; more data sets go to further figures."""

_COLUMNS, _NAME, _LETTERS = 4, 30, 80
"""Panels beside each other, letters of the name of an arm, and of the titles of a row of panels, at most."""

_BETTER, _WORSE = PALETTE[0], PALETTE[3]


@dataclass(frozen=True)
class ForestRow:
    """A difference.

    Attributes:
        arm: name of the arm.
        mean: arm minus baseline.
        low: lower end of the 95 % interval.
        high: upper end.
        told: the verdict, or nothing.
    """

    arm: str
    mean: float
    low: float
    high: float
    told: str


@dataclass(frozen=True)
class ForestPanel:
    """The differences of one data set at one label budget."""

    title: str
    rows: tuple[ForestRow, ...]


def forest_figures(source: FigureSource, table: Table, result: TableResult) -> Iterator[ReportFigure]:
    """Yield the differences to the baseline by the first metric of a comparison, a panel for each column."""
    metric = table.model.metrics[0]
    panels = [panel for panel in result.panels if panel.metric == metric]
    by_dataset = {panel.dataset: found for panel in panels if (found := forest_panels(panel))}
    arms = list(dict.fromkeys(row.arm for found in by_dataset.values() for panel in found for row in panel.rows))
    if not by_dataset:
        return
    name, lower = metric_name(metric), not all(panel.higher_is_better for panel in panels)
    family = "all panels" if result.holm == "table" else "a panel"
    columns = min(_COLUMNS, max(len(found) for found in by_dataset.values()))
    columns = _COLUMNS if columns == 1 else columns
    for datasets in _by_figure(by_dataset, columns, len(arms)):
        shown = [panel for dataset in datasets for panel in by_dataset[dataset]]
        cells = [cell for panel in panels if panel.dataset in datasets for cell in panel.cells.values()]
        caption = sentences(
            f"mean paired difference in test {name} to “{result.baseline}” with "
            f"{interval_note(cells)[0].removeprefix('±: half of ')}",
            "below 0 is better" if lower else "",
            f"blue: better, red: worse, after Holm's adjustment for the arms of {family}; hollow: cannot tell"
            if any(row.told for panel in shown for row in panel.rows)
            else "no verdicts: the differences may be luck",
            f"grey band: the margin of ±{result.margin:g}, within which a difference does not matter; grey points: no "
            "difference that matters"
            if result.margin is not None
            else "",
            "floors are left out",
            *result.marks,
        )
        yield ReportFigure(
            slug(table.id, "forest", metric),
            f"{table.title}: differences to {result.baseline} with intervals, {name}",
            caption,
            table.id,
            partial(draw_forest, shown, arms, f"{name} minus that of {result.baseline}", result.margin, columns),
            source.marks_of(result, *datasets),
        )


def _by_figure(panels: Mapping[str, Sequence[ForestPanel]], columns: int, arms: int) -> list[list[str]]:
    """Return the data sets of each figure, as many as are not too high together."""
    most = columns * max(1, int(_HIGHEST / (_ROW * arms + _HEAD)))
    step = max(1, most // max(len(found) for found in panels.values()))
    return [list(panels)[start : start + step] for start in range(0, len(panels), step)]


def forest_panels(panel: Panel) -> list[ForestPanel]:
    """Return the differences of a data set that have intervals, a panel for each label budget, without floors."""
    found = []
    for labels in panel.budgets:
        rows = [
            ForestRow(arm, difference.mean, *difference.interval(), cell.judged.told)
            for arm, cell in panel.column(labels).items()
            if arm not in panel.floors and (difference := cell.judged.difference) is not None
        ]
        found += [ForestPanel(f"{panel.dataset}\n{labels} labels", tuple(rows))] if rows else []
    return found


def value_panels(panel: Panel) -> list[ForestPanel]:
    """Return the means of a data set with their intervals, a panel for each label budget, floors too.

    A mean without an interval has its standard deviation to both sides, or nothing for a single value.
    """
    found = []
    for labels in panel.budgets:
        rows = []
        for arm, cell in panel.column(labels).items():
            if cell.mean is not None:
                half = cell.std or 0.0
                low, high = cell.judged.own.interval() if cell.judged.own else (cell.mean - half, cell.mean + half)
                rows.append(ForestRow(arm, cell.mean, low, high, ""))
        found += [ForestPanel(f"{panel.dataset}\n{labels} labels", tuple(rows))] if rows else []
    return found


@styled
def draw_forest(
    panels: Sequence[ForestPanel],
    arms: Sequence[str],
    name: str,
    margin: float | None = None,
    columns: int = _COLUMNS,
    floors: Collection[str] | None = None,
) -> Figure:
    """Draw a point with its interval for each difference, or value, on one scale for all panels.

    Args:
        panels: what to draw.
        arms: the rows, from the top.
        name: what the differences are of.
        margin: half the width of the band in which a difference does not matter; None: there is none.
        columns: panels beside each other, at most.
        floors: of values, the arms that are floors, which are grey; None: these are differences, and 0 is marked.
    """
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    figure = new_figure(PAGE, (_ROW * len(arms) + _HEAD) * rows + 0.35)
    drawn = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axes in drawn.flat[len(panels) :]:
        axes.set_axis_off()
    for place, panel in enumerate(panels):
        axes = drawn.flat[place]
        if floors is None:
            axes.axvline(0, color="black", linewidth=0.6)
        if margin is not None:
            axes.axvspan(-margin, margin, color=GREY, alpha=0.15, linewidth=0)
        for row in panel.rows:
            colour, hollow = _look(row) if floors is None else (GREY if row.arm in floors else PALETTE[0], False)
            place_of = arms.index(row.arm)
            axes.plot([row.low, row.high], [place_of, place_of], color=colour, linewidth=1.0)
            inside = "white" if hollow else colour
            axes.plot([row.mean], [place_of], "o", color=colour, markerfacecolor=inside, markersize=3.5)
        axes.set_title("\n".join(shortened(line, int(_LETTERS / columns)) for line in panel.title.split("\n")))
        if place + columns >= len(panels):
            axes.tick_params(labelbottom=True)
    drawn[0, 0].set_ylim(len(arms) - 0.4, -0.6)
    drawn[0, 0].set_yticks(range(len(arms)), [shortened(arm, _NAME) for arm in arms])
    figure.supxlabel(shortened(name, 100), fontsize=7)
    return figure


def _look(row: ForestRow) -> tuple[str, bool]:
    """Return the colour of a difference, and whether its point is hollow, by its verdict."""
    colour = _BETTER if row.told.startswith("better") else _WORSE if row.told.startswith("worse") else GREY
    return colour, row.told in {"", "cannot tell"}
