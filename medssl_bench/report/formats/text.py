"""How the numbers of a cell are written, in every form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.report.tables import METRIC_NAMES

if TYPE_CHECKING:
    from medssl_bench.report.cells import Cell
    from medssl_bench.report.tables import Panel, TableResult


def number(cell: Cell, plus_minus: str = "±") -> str:
    """Return mean and standard deviation, with what is missing: ``0.771 ± 0.012``, ``0.771 (2 of 3)``, ``failed``."""
    if cell.mean is None:
        return "failed" if cell.failed else "–"
    text = f"{cell.mean:.3f}"
    if cell.std is not None:
        text += f" {plus_minus} {cell.std:.3f}"
    if cell.n < cell.expected:
        text += f" ({cell.n} of {cell.expected}{', rest failed' if cell.failed else ''})"
    return text


def signed(value: float) -> str:
    """Return a difference with its sign: ``+0.153``, ``−0.002``."""
    return f"{value:+.3f}".replace("-", "−")


def heading(table: TableResult) -> str:
    """Return a table's title with its marks."""
    return " — ".join([table.title, *table.marks])


def metric_name(panel: Panel) -> str:
    """Return a panel's metric as people write it."""
    return METRIC_NAMES.get(panel.metric, panel.metric)


def notes(table: TableResult) -> list[str]:
    """Return what stands under a table."""
    found = []
    if table.baseline:
        found.append(f"Second line: mean paired difference to {table.baseline!r}.")
    if table.citation and any(c.reference is not None for panel in table.panels for c in panel.cells.values()):
        found.append(f"ref: published value, {table.citation}.")
    return found
