"""Validation accuracy of downstream training by epoch (fig. 3.1 and 7.2 of [Jiang 2023])."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from medssl_bench.figures.curves import Curve, curve, draw_curve, label_epochs
from medssl_bench.figures.figure import ReportFigure, slug
from medssl_bench.figures.material import FigureSource, sentences
from medssl_bench.figures.style import COLUMN, PAGE, Look, legend_below, looks, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

    from medssl_bench.results.tables import TableResult
    from medssl_bench.suite.table import Table

Panels = dict[str, dict[str, Curve]]
"""By heading of the panel: curves by name of the arm."""

_MOST = 4
_METRIC = "val_accuracy"


def downstream_figures(source: FigureSource, table: Table, result: TableResult) -> Iterator[ReportFigure]:
    """Yield one figure for each data set, with a panel for each label budget, and one for arms of several encoders."""
    encoders = compared_encoders(table)
    if encoders:
        for budget in table.labels:
            yield from _by_encoder(source, table, result, encoders, budget.text)
    arms = [arm.name for arm in table.arms if not arm.floor]
    if set(arms) <= set(encoders):
        return
    for dataset in source.datasets(table):
        panels: Panels = {}
        chances = []
        for labels in source.budgets(table, dataset):
            found, chance = _curves(source, table, dataset, labels, arms)
            if found:
                panels[f"{labels} labels"] = found
                chances.append(chance)
        if not _worth_drawing(panels):
            source.left_out(f"{table.id}: downstream training on {dataset}: no history of two epochs or more")
            continue
        caption = sentences(
            f"{_accuracy(table)} on {dataset} by epoch of the downstream training, a panel for each label budget; "
            f"{', '.join(dict.fromkeys(chances))}",
            "thin: raw; thick: exponentially smoothed with a = 0.6",
            *result.marks,
        )
        yield ReportFigure(
            slug(table.id, "downstream", dataset),
            f"{table.title}: downstream training on {dataset}",
            caption,
            table.id,
            partial(draw_downstream, panels, looks(arms), _accuracy(table)),
            source.marks_of(result, dataset),
        )


def compared_encoders(table: Table) -> list[str]:
    """Return the arms without pretraining that differ in their encoder alone; empty for fewer than two."""
    alone = [arm for arm in table.arms if not arm.chain and not arm.floor]
    same = [arm for arm in alone if arm.evaluator == alone[0].evaluator]
    different = {str(arm.encoder.to_data()) for arm in same}
    return [arm.name for arm in same] if len(different) > 1 else []


def _by_encoder(
    source: FigureSource, table: Table, result: TableResult, arms: list[str], labels: str
) -> Iterator[ReportFigure]:
    panels: Panels = {}
    chances = []
    for dataset in source.datasets(table):
        found, chance = _curves(source, table, dataset, labels, arms)
        if found:
            panels[dataset] = found
            chances.append(chance)
    if not _worth_drawing(panels):
        source.left_out(f"{table.id}: encoders with {labels} labels: no history of two epochs or more")
        return
    caption = sentences(
        f"{_accuracy(table)} by epoch without pretraining, for encoders of several kinds, a panel for each data set "
        f"({', '.join(panels)}); {labels} labels; {', '.join(dict.fromkeys(chances))}",
        "thin: raw; thick: exponentially smoothed with a = 0.6",
        *result.marks,
    )
    yield ReportFigure(
        slug(table.id, "encoders", labels),
        f"{table.title}: training without pretraining here, {labels} labels",
        caption,
        table.id,
        partial(draw_downstream, panels, looks(arms), _accuracy(table)),
        source.marks_of(result, *panels),
    )


def _curves(
    source: FigureSource, table: Table, dataset: str, labels: str, arms: list[str]
) -> tuple[dict[str, Curve], str]:
    """Return the curves of the arms of a cell, of one seed and draw, and which these are."""
    chance = source.chance(table, dataset, labels, arms)
    if chance is None:
        return {}, ""
    found = {}
    for arm in arms:
        trial = source.trial(table, dataset, arm, labels, chance)
        measured = curve(source.history(trial.stage), _METRIC) if trial else None
        if measured:
            found[arm] = measured
    return found, str(chance)


def _worth_drawing(panels: Panels) -> bool:
    return any(len(found) > 1 for panel in panels.values() for found in panel.values())


def _accuracy(table: Table) -> str:
    """Return what the epoch is selected by: in a history `val_` means those images."""
    return "test accuracy" if table.model.selection == "test" else "validation accuracy"


@styled
def draw_downstream(panels: Panels, styles: dict[str, Look], name: str) -> Figure:
    """Draw accuracy by epoch, at most four panels in a row on one scale.

    Args:
        panels: curves by arm, by heading of the panel.
        styles: colours by arm.
        name: which accuracy it is.
    """
    columns = min(len(panels), _MOST)
    rows = -(-len(panels) // _MOST)
    figure = new_figure(PAGE if columns > 1 else COLUMN, 1.9 * rows + 0.1)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    handles: dict[str, Artist] = {}
    for place, (heading, curves) in enumerate(panels.items()):
        axes = grid.flat[place]
        for arm, found in curves.items():
            draw_curve(axes, found, styles[arm].colour, arm, line=styles[arm].line)
        handles |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        axes.set_title(heading)
        label_epochs(axes)
        if place % columns == 0:
            axes.set_ylabel(name)
    legend_below(figure, {arm: handles[arm] for arm in styles if arm in handles})
    return figure
