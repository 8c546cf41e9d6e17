"""Robustness: a metric against the severity of corruptions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from medssl_bench.figures.figure import ReportFigure, slug
from medssl_bench.figures.material import FigureSource, sentences
from medssl_bench.figures.style import PAGE, Look, legend_below, looks, new_figure, styled
from medssl_bench.results.formats.retests import SOURCE
from medssl_bench.results.metric_names import metric_name
from medssl_bench.results.robustness import mean_of_all

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

    from medssl_bench.results.robustness import RobustArm, Robustness
    from medssl_bench.results.tables import TableResult
    from medssl_bench.suite.table import Table

_COLUMNS = 4
_ALL = "mean of all"
"""Title of the panel that has the mean over corruptions."""


@dataclass(frozen=True)
class SeverityPanel:
    """A corruption, or the mean of all.

    Attributes:
        title: which.
        curves: by arm, the value at each severity, that of clean images (severity 0) first; None where there is none.
    """

    title: str
    curves: dict[str, list[float | None]]


def robustness_figures(source: FigureSource, table: Table, result: TableResult) -> Iterator[ReportFigure]:
    """Yield a figure for each data set and each label budget that is shown, with a panel for each corruption."""
    for found in source.board.robustness:
        if found.comparison != table.id:
            continue
        for labels in source.shown_budgets(table, found.dataset):
            arms = {arm: made for (arm, budget), made in found.arms.items() if budget == labels and made.curves}
            if not arms:
                source.left_out(f"{table.id}: robustness on {found.dataset}, {labels} labels: no results yet")
                continue
            name = metric_name(found.metric)
            caption = sentences(
                f"test {name} on {found.dataset} with {labels} labels against the severity of corruptions",
                f"corruptions are after {SOURCE}",
                "0: the clean images; means over training seeds and label draws",
                "every arm predicts the same corrupted images; no training",
                *result.marks,
            )
            yield ReportFigure(
                slug(table.id, "robustness", found.dataset, labels),
                f"{table.title}: corrupted test images of {found.dataset}, {labels} labels",
                caption,
                table.id,
                partial(
                    draw_robustness,
                    severity_panels(found, arms),
                    found.severities,
                    looks(a.name for a in table.arms),
                    name,
                ),
                source.marks_of(result, found.dataset),
            )


def severity_panels(found: Robustness, arms: dict[str, RobustArm]) -> list[SeverityPanel]:
    """Return the curves of some arms: the mean over corruptions first."""
    clean = {arm: made.pair.here.mean for arm, made in arms.items()}
    by_name = {
        name: {arm: [clean[arm], *made.curves[found.metric][name]] for arm, made in arms.items()}
        for name in found.corruptions
    }
    every = {
        arm: [mean_of_all(values) for values in zip(*(curves[arm] for curves in by_name.values()), strict=True)]
        for arm in arms
    }
    more = [SeverityPanel(name.replace("_", " "), curves) for name, curves in by_name.items()]
    return [SeverityPanel(_ALL, every), *more] if len(more) > 1 else more


@styled
def draw_robustness(
    panels: Sequence[SeverityPanel], severities: Sequence[int], styles: dict[str, Look], name: str
) -> Figure:
    """Draw a line for each arm, at most four corruptions in a row.

    Args:
        panels: the corruptions.
        severities: that were measured, beside 0.
        styles: colour and marker by arm.
        name: what the metric is called.
    """
    columns = min(len(panels), _COLUMNS)
    rows = -(-len(panels) // _COLUMNS)
    figure = new_figure(PAGE if columns > 2 else PAGE / 2, 1.5 * rows + 0.3)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    handles: dict[str, Artist] = {}
    for place, axes in enumerate(grid.flat):
        if place >= len(panels):
            axes.set_axis_off()
            continue
        for arm, values in panels[place].curves.items():
            colour, marker, line = styles[arm]
            points = [(x, y) for x, y in zip((0, *severities), values, strict=True) if y is not None]
            if points:
                axes.plot(
                    *zip(*points, strict=True), color=colour, marker=marker, linestyle=line, markersize=3, label=arm
                )
        axes.set_title(panels[place].title)
        axes.set_xticks([0, *severities])
        if place >= len(panels) - columns:
            axes.set_xlabel("severity")
        if place % columns == 0:
            axes.set_ylabel(f"test {name}")
        handles |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    legend_below(figure, handles)
    return figure
