"""The price of pretrainings: what each gains against the processor time that it took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from statistics import mean
from typing import TYPE_CHECKING

from medssl_bench.figures.figure import ReportFigure, slug
from medssl_bench.figures.material import FigureSource, sentences
from medssl_bench.figures.style import GREY, PAGE, looks, new_figure, shortened, styled
from medssl_bench.results.formats.prices import PARETO, price_notes
from medssl_bench.results.metric_names import metric_name
from medssl_bench.results.price import LEAST

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from medssl_bench.figures.style import Look
    from medssl_bench.results.price import Price
    from medssl_bench.results.tables import TableResult
    from medssl_bench.suite.table import Table

_COLUMNS = 2
_LINE = 0.1
"""Inches that a name beside a panel takes."""

_NAME = 26
"""Letters of a name, at most."""

_LEAST_RANGE = 5.0
"""By which factor an axis of seconds is wide, at least: so it has three ticks or more."""

_NARROW = 10.0
"""By which factor an axis of seconds is wide, at most, to have ticks closer together."""


def price_figures(source: FigureSource, table: Table, result: TableResult) -> Iterator[ReportFigure]:
    """Yield a figure for each metric and arm that gains are over, with a panel for each label budget."""
    here = [price for price in source.board.prices if price.comparison == table.id]
    overs = list(dict.fromkeys(price.over for price in here))
    pretrained = sum(bool(arm.chain) for arm in table.arms)
    if not here and pretrained >= LEAST and not table.model.shuffle_labels:
        source.left_out(
            f"{table.id}: price: no {LEAST} arms with a pretraining have all their numbers, their costs, and an arm "
            "without one of the same evaluator and encoder"
        )
    for metric in table.model.metrics:
        for over in overs:
            prices = [price for price in here if (price.metric, price.over) == (metric, over)]
            if not prices:
                continue
            name = metric_name(metric)
            datasets = dict.fromkeys(dataset for price in prices for dataset in price.datasets)
            caption = sentences(
                f"gain in test {name} against the processor time of pretraining; a point for each arm, a panel for "
                f"each label budget",
                f"grey line and bold names: {PARETO}; dotted: no gain",
                *price_notes(prices),
                *result.marks,
            )
            yield ReportFigure(
                slug(table.id, "price", metric, over if len(overs) > 1 else ""),
                f"{table.title}: price of pretraining, {name}, over {over}",
                caption,
                table.id,
                partial(draw_price, prices, looks(arm.name for arm in table.arms if arm.chain), f"{name} over {over}"),
                source.marks_of(result, *datasets),
            )


@styled
def draw_price(prices: Sequence[Price], styles: dict[str, Look], name: str) -> Figure:
    """Draw a point for each arm with its name at the right, at most two label budgets in a row.

    Args:
        prices: one for each label budget.
        styles: colour and marker by arm.
        name: of what there is a gain.
    """
    rows = -(-len(prices) // _COLUMNS)
    columns = min(len(prices), _COLUMNS)
    most = max(len(price.arms) for price in prices)
    tall = max(1.7, _LINE * most)
    figure = new_figure(PAGE if columns > 1 else 0.6 * PAGE, (tall + 0.6) * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(prices) :]:
        axes.set_axis_off()
    for place, price in enumerate(prices):
        axes = grid.flat[place]
        _draw_panel(axes, price, styles, _LINE / tall)
        axes.set_title(f"{price.labels} labels")
        axes.set_xlabel("processor time of pretraining (s, log scale)")
        if place % columns == 0:
            axes.set_ylabel(f"gain in {shortened(name, 44)}")
    return figure


def _draw_panel(axes: Axes, price: Price, styles: dict[str, Look], apart: float) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    points = price.arms
    axes.set_xscale("log")
    low, high = points[0].seconds, points[-1].seconds
    wider = max(1.15, (_LEAST_RANGE * low / high) ** 0.5)
    axes.set_xlim(low / wider, high * wider)
    gains = [0.0, *(point.gain for point in points)]
    room = 0.08 * (max(gains) - min(gains) or 1.0)
    axes.set_ylim(min(gains) - room, max(gains) + room)
    axes.axhline(0, color=GREY, linestyle=":", linewidth=0.8)
    line = [point for point in points if point.is_worth_it]
    if line:
        seconds = [*(point.seconds for point in line), high * wider]
        axes.step(seconds, [*(point.gain for point in line), line[-1].gain], where="post", color=GREY, linewidth=1)
    for point in points:
        colour, marker, _ = styles[point.arm]
        axes.plot(point.seconds, point.gain, color=colour, marker=marker, linestyle="none", markersize=4.5)
    bottom, top = axes.get_ylim()
    ordered = sorted(points, key=lambda point: point.gain)
    heights = spread([(point.gain - bottom) / (top - bottom) for point in ordered], apart)
    for point, height in zip(ordered, heights, strict=True):
        axes.annotate(
            shortened(point.arm, _NAME),
            (point.seconds, point.gain),
            (1.04, height),
            textcoords="axes fraction",
            va="center",
            fontsize=5.5,
            fontweight="bold" if point.is_worth_it else "normal",
            arrowprops={
                "arrowstyle": "-",
                "color": GREY,
                "linewidth": 0.3,
                "shrinkA": 1,
                "shrinkB": 2,
                "relpos": (0, 0.5),
            },
        )
    is_narrow = wider**2 * high / low < _NARROW  # with two ticks a reader takes the axis for a linear one
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7) if is_narrow else (1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:,g}"))


def spread(wanted: Sequence[float], apart: float) -> list[float]:
    """Return the heights nearest to those that are wanted that are so far apart, from 0 to 1 where there is room.

    Without the distances that they must have, heights need only ascend: that is isotonic regression, by pooling
    neighbours that are in each other's way.

    Args:
        wanted: in ascending order, from 0 to 1.
        apart: the least distance.
    """
    pools: list[list[float]] = []
    for place, height in enumerate(wanted):
        pools.append([height - place * apart])
        while len(pools) > 1 and mean(pools[-2]) > mean(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    room = max(0.0, 1 - (len(wanted) - 1) * apart)
    bases = [min(max(mean(pool), 0.0), room) for pool in pools for _ in pool]
    return [base + place * apart for place, base in enumerate(bases)]
