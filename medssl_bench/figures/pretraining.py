"""Loss, contrastive accuracy and learning rate of pretrainings by epoch (fig. 7.1 of [Jiang 2023])."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from medssl_bench.figures.curves import Curve, curve, draw_curve, label_epochs
from medssl_bench.figures.figure import ReportFigure, slug
from medssl_bench.figures.material import FigureSource, Row, sentences
from medssl_bench.figures.style import COLUMN, GREY, PAGE, PALETTE, legend_below, new_figure, styled
from medssl_bench.plan.lookup import chain_stages

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_METRICS = {
    "loss": "loss",
    "top1": "contrastive accuracy",
    "spread": "spread",
    "rank": "effective rank",
    "lr": "learning rate",
}
_FEATURES = {"spread": "val_feature_spread", "rank": "val_feature_rank"}
"""Gauges that are also measured of the encoder's features."""

_MOST = 4


@dataclass(frozen=True)
class Pretrained:
    """A pretraining that some arm uses.

    Attributes:
        stage: key of its stage.
        recipe: name of its recipe.
        dataset: label of the data set it was trained on.
        seed: the training seed.
        before: the pretrainings that it started from, as ``recipe on data set``, in order.
        start: key of the stage that it started from, or None.
        tables: ids of the comparisons that use it.
    """

    stage: str
    recipe: str
    dataset: str
    seed: int
    before: tuple[str, ...]
    start: str | None
    tables: tuple[str, ...]


def pretrainings(source: FigureSource) -> list[Pretrained]:
    """Return every pretraining of a plan, in the order in which the suite's arms use them."""
    arms = {(table.id, arm.name): arm for table in source.suite.tables for arm in table.arms}
    found: dict[str, Pretrained] = {}
    for trial in source.plan.trials:
        arm = arms[trial.table, trial.arm]
        names: list[str] = []
        start = None
        for link, key in zip(arm.chain, chain_stages(source.plan, trial), strict=True):
            on = link.source(trial.dataset)
            tables = found[key].tables if key in found else ()
            tables = tuple(dict.fromkeys((*tables, trial.table)))
            found[key] = Pretrained(key, link.recipe.name, on, trial.seed, tuple(names), start, tables)
            names.append(f"{link.recipe.name} on {on}")
            start = key
    return list(found.values())


def pretraining_figures(source: FigureSource) -> Iterator[ReportFigure]:
    """Yield a figure for each data set and starting point; recipes stand side by side, of the first seed."""
    groups: dict[tuple[str, tuple[str, ...]], list[Pretrained]] = {}
    for found in pretrainings(source):
        groups.setdefault((found.dataset, found.before), []).append(found)
    for (dataset, before), members in groups.items():
        ready = [found for found in members if source.history(found.stage)]
        if not ready:
            source.left_out(f"pretraining on {dataset}: no pretraining is finished")
            continue
        seed = ready[0].seed
        yield _figure(source, dataset, before, [found for found in ready if found.seed == seed])


def _figure(source: FigureSource, dataset: str, before: tuple[str, ...], members: list[Pretrained]) -> ReportFigure:
    after = f" after {', then '.join(before)}" if before else ""
    tables = {table for found in members for table in found.tables}
    recipes = ", ".join(dict.fromkeys(found.recipe for found in members))
    histories = [(found.recipe, source.history(found.stage)) for found in members]
    tracked = [_METRICS[metric] for metric in _tracked(histories)]
    caption = sentences(
        f"{', '.join(tracked)} by epoch on the training images (all but the learning rate also on validation images, "
        f"the rank on these alone) of {dataset}{after}; recipes {recipes}; seed {members[0].seed}",
        "spread and rank: of the method's projections, and of features; near 0, and near 1, they have collapsed"
        if {"spread", "effective rank"} & set(tracked)
        else "",
        "thin: raw; thick: exponentially smoothed with a = 0.6",
        *source.marks(dataset),
    )
    return ReportFigure(
        slug("pretraining", dataset, *(["after", *before] if before else [])),
        f"Pretraining on {dataset}{after}",
        caption,
        next(iter(tables)) if len(tables) == 1 else None,
        partial(draw_pretrainings, histories),
        tuple(source.marks(dataset)),
    )


@styled
def draw_pretrainings(histories: list[tuple[str, list[Row]]]) -> Figure:
    """Draw histories side by side, at most four in a row; those of a row share the scale of each metric.

    Args:
        histories: name of the recipe and rows of its history.
    """
    metrics = _tracked(histories)
    bands = [histories[first : first + _MOST] for first in range(0, len(histories), _MOST)]
    columns = min(len(histories), _MOST)
    figure = new_figure(PAGE if columns > 1 else COLUMN, 1.35 * len(metrics) * len(bands) + 0.2)
    grid = figure.subplots(len(metrics) * len(bands), columns, squeeze=False, sharey="row", sharex="col")
    for axes in grid.flat:
        axes.set_axis_off()
    for b, band in enumerate(bands):
        for x, (recipe, rows) in enumerate(band):
            for y, metric in enumerate(metrics):
                axes = grid[b * len(metrics) + y, x]
                axes.set_axis_on()
                _draw_metric(axes, rows, metric)
                axes.tick_params(labelbottom=y == len(metrics) - 1)
                if x == 0:
                    axes.set_ylabel(_METRICS[metric])
            grid[b * len(metrics), x].set_title(recipe)
            label_epochs(grid[(b + 1) * len(metrics) - 1, x])
    for y, axes in enumerate(grid[:, 0]):  # once all curves of the row are there
        if metrics[y % len(metrics)] != "loss":
            axes.set_ylim(bottom=0)
    named = [axes.get_legend_handles_labels() for axes in grid.flat]
    legend_below(figure, {name: each for handles, labels in named for each, name in zip(handles, labels, strict=True)})
    figure.align_ylabels()
    return figure


def _draw_metric(axes: Axes, rows: list[Row], metric: str) -> None:
    if metric == "lr":
        rate: Curve = curve(rows, metric)
        axes.plot(rate.epochs, rate.values, "o" if len(rate) == 1 else "-", color=GREY)
        axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
        return
    for key, (name, colour) in _curves(metric).items():
        found = curve(rows, key)
        if len(found):
            draw_curve(axes, found, PALETTE[colour], name)


def _curves(metric: str) -> dict[str, tuple[str, int]]:
    """Return the curves of a panel: what they are called, and the number of their colour, by name in histories."""
    found = {metric: ("training images", 0), f"val_{metric}": ("validation images", 3)}
    return {**found, **({_FEATURES[metric]: ("features of validation images", 2)} if metric in _FEATURES else {})}


def _tracked(histories: list[tuple[str, list[Row]]]) -> list[str]:
    """Return the metrics that some history has."""
    there = {name for _, rows in histories for row in rows for name in row}
    return [metric for metric in _METRICS if there & _curves(metric).keys()]
