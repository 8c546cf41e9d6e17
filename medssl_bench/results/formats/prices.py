"""How the prices of pretrainings are written: as grids, with what must be known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.results.formats.text import heading, signed
from medssl_bench.results.grid import Column, Grid, GridCell, GridRow
from medssl_bench.results.metric_names import metric_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.results.leaderboard import Leaderboard
    from medssl_bench.results.price import Price, PricedArm
    from medssl_bench.results.tables import TableResult

PARETO = "no arm as cheap or cheaper is better, and neither is no pretraining"


def price_grids(board: Leaderboard) -> list[Grid]:
    """Return what pretrainings gain and cost by the first metric of each table: a grid for each arm they are over."""
    found = []
    for table in board.tables:
        metric = table.panels[0].metric
        by_reference: dict[str, list[Price]] = {}
        for price in board.prices:
            if (price.comparison, price.metric) == (table.id, metric):
                by_reference.setdefault(price.over, []).append(price)
        found += [_grid(table, prices) for prices in by_reference.values()]
    return found


def _grid(table: TableResult, prices: Sequence[Price]) -> Grid:
    by_budget = [{point.arm: point for point in price.arms} for price in prices]
    arms = dict.fromkeys(arm for points in by_budget for arm in points)
    rows = tuple(
        GridRow((arm,), tuple(cell for points in by_budget for cell in _cells(points.get(arm)))) for arm in arms
    )
    columns = tuple(Column(name, f"{price.labels} labels") for price in prices for name in ("seconds", "gain"))
    title = f"Price by {metric_name(prices[0].metric)}: “{table.title}”, gain over “{prices[0].over}”"
    return Grid(heading(title, table.marks), ("arm",), columns, rows, (*price_notes(prices), f"*: {PARETO}."))


def _cells(point: PricedArm | None) -> tuple[GridCell, GridCell]:
    if point is None:
        return GridCell(), GridCell()
    return GridCell(_seconds(point.seconds)), GridCell(signed(point.gain), missing="*" if point.is_worth_it else "")


def _seconds(seconds: float) -> str:
    """Return a number of seconds: ``0.82``, ``46``, ``12,340``."""
    return f"{seconds:.2g}" if seconds < 10 else f"{seconds:,.0f}"


def price_notes(prices: Sequence[Price]) -> list[str]:
    """Return what gains and seconds are, over what they are means, and where they were measured."""
    first = prices[0]
    lower = "" if first.higher_is_better else "; lower is better, so it is how much lower"
    gain = f"Gain: mean paired difference to “{first.over}”, which has no pretraining and the same evaluator{lower}."
    seconds = (
        "Seconds: measured processor time of the pretraining of one encoder, with that of a chain, a teacher, or the "
        "variants of which it was chosen."
    )
    means = f"Both are means over {_over_datasets(prices)}, and carry no uncertainty yet."
    found = [" ".join((gain, seconds, means))]
    for arm in dict.fromkeys(arm for price in prices for arm in price.missing):
        budgets = ", ".join(price.labels for price in prices if arm in price.missing)
        found.append(f"“{arm}” is missing ({budgets} labels): not all its numbers or costs are there.")
    return found + _measured(prices)


def _measured(prices: Sequence[Price]) -> list[str]:
    """Return what must be known of how the costs were measured; nothing where it was on one machine's processor."""
    devices = sorted({device for price in prices for device in price.devices})
    machines = max(price.machines for price in prices)
    found = []
    if machines > 1 or len(devices) > 1:
        where = f"{machines} machines" if machines > 1 else f"{len(devices)} devices"
        found.append(f"Costs were measured on {where} ({'; '.join(devices)}), so they compare only roughly.")
    if any(not device.startswith("cpu") for device in devices):
        found.append("Processor time leaves out what a graphics card did.")
    return found


def _over_datasets(prices: Sequence[Price]) -> str:
    """Return which data sets means are over, by label budget where that differs."""
    by_budget = {price.labels: price.datasets for price in prices}
    if len(set(by_budget.values())) > 1:
        return "; ".join(f"{', '.join(datasets)} ({labels} labels)" for labels, datasets in by_budget.items())
    datasets = prices[0].datasets
    return (
        f"{len(datasets)} data sets ({', '.join(datasets)})" if len(datasets) > 1 else f"one data set ({datasets[0]})"
    )
