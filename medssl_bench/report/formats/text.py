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
    cells = [cell for panel in table.panels for cell in panel.cells.values()]
    spread = _spread(cells)
    if spread:
        found.append(f"±: standard deviation over {spread}.")
    if table.baseline:
        found.append(f"Second line: mean paired difference to {table.baseline!r}.")
    if table.citation and any(cell.reference is not None for cell in cells):
        found.append(f"ref: published value, {table.citation}.")
    return found


def _spread(cells: list[Cell]) -> str:
    """Return what the standard deviations are over: ``3 label draws``, ``2 training seeds and 3 label draws``."""
    values = [value for cell in cells if cell.std is not None for value in cell.values]
    counts = {
        "training seeds": len({value.seed for value in values}),
        "label draws": len({value.draw for value in values}),
    }
    return " and ".join(f"{count} {axis}" for axis, count in counts.items() if count > 1)
