"""How numbers, titles and notes are written, in every form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.report.flags import flag_notes
from medssl_bench.report.tables import METRIC_NAMES

if TYPE_CHECKING:
    from medssl_bench.report.cells import Cell
    from medssl_bench.report.ranking import Ranking
    from medssl_bench.report.tables import TableResult


def signed(value: float) -> str:
    """Return a difference with its sign: ``+0.153``, ``−0.002``."""
    return f"{round(value, 3) + 0.0:+.3f}".replace("-", "−")  # adding 0.0 makes -0.0 a 0.0


def points(value: float) -> str:
    """Return a difference of accuracies in points of a hundred, with its sign: ``+15.3 %``."""
    return f"{round(100 * value, 1) + 0.0:+.1f} %".replace("-", "−")


def missing(n: int, expected: int, failed: int) -> str:
    """Return what is not there of a cell: ``(2 of 3)``, ``(2 of 3, rest failed)``, or nothing."""
    return f"({n} of {expected}{', rest failed' if failed else ''})" if n < expected else ""


def heading(title: str, marks: list[str] | tuple[str, ...]) -> str:
    """Return a title with its marks."""
    return " — ".join([title, *marks])


def metric_name(metric: str) -> str:
    """Return a metric as people write it."""
    return METRIC_NAMES.get(metric, metric.replace("_", " "))


def notes(table: TableResult) -> list[str]:
    """Return what stands under a table."""
    found = []
    cells = table.cells()
    spread = _spread(cells)
    if spread:
        found.append(f"±: standard deviation over {spread}.")
    if any(cell.difference is not None for cell in cells):
        found.append(f"Second line: mean paired difference to {table.baseline!r}.")
    if table.citation and any(cell.reference is not None for cell in cells):
        found.append(f"ref: published value (and the difference to it), {table.citation}.")
    return found + flag_notes(cells) + flag_notes(table.analysed())


def ranking_title(ranking: Ranking) -> str:
    """Return the heading of a ranking."""
    tables = " and ".join(f"“{title}”" for title in ranking.tables)
    return heading(f"Ranking by {metric_name(ranking.metric)}: {tables}", ranking.marks)


def _spread(cells: list[Cell]) -> str:
    """Return what the standard deviations are over: ``3 label draws``, ``2 training seeds and 3 label draws``."""
    values = [value for cell in cells if cell.std is not None for value in cell.values]
    counts = {
        "training seeds": len({value.seed for value in values}),
        "label draws": len({value.draw for value in values}),
    }
    return " and ".join(f"{count} {axis}" for axis, count in counts.items() if count > 1)
