"""A table as it is read: rows and columns of written numbers, which every form of output draws in its own way."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class GridCell:
    """One written number.

    Attributes:
        value: the mean, ``–`` where there is none yet, ``failed``, or nothing for a cell that does not exist.
        spread: half of an interval, or a standard deviation, as in ``± 0.012``, or nothing.
        missing: what is not there of it, as in ``(2 of 3)``, or nothing.
        difference: signed difference to the baseline arm, with half of its interval, or nothing.
        verdict: what is said of that difference, or nothing.
        reference: published value, or nothing.
        gap: signed difference of the value to the published one, or nothing.
        best: whether it is printed in bold.
        failed: whether trials of it failed, or are blocked.
    """

    value: str = ""
    spread: str = ""
    missing: str = ""
    difference: str = ""
    verdict: str = ""
    reference: str = ""
    gap: str = ""
    best: bool = False
    failed: bool = False

    @property
    def number(self) -> str:
        """Value, spread and what is missing, in one line."""
        return " ".join(part for part in (self.value, self.spread, self.missing) if part)

    @property
    def published(self) -> str:
        """The published value with the difference to it in one line, or nothing."""
        return f"ref {self.reference}{f' ({self.gap})' if self.gap else ''}" if self.reference else ""


@dataclass(frozen=True)
class GridRow:
    """One row.

    Attributes:
        heads: what stands at its left, one for each head of the grid.
        cells: one for each column.
        quiet: a floor, or another row that is not what the table is about.
        ruled: whether a line is drawn above it.
    """

    heads: tuple[str, ...]
    cells: tuple[GridCell, ...]
    quiet: bool = False
    ruled: bool = False


@dataclass(frozen=True)
class Column:
    """The head of a column; neighbours of one group share its name above them."""

    name: str
    group: str = ""


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes:
        title: what stands above it.
        heads: heads of the columns at the left.
        columns: heads of the columns of numbers.
        rows: the rows.
        notes: what stands under it.
    """

    title: str
    heads: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[GridRow, ...] = field(default=())
    notes: tuple[str, ...] = ()

    def groups(self) -> list[tuple[str, int]]:
        """Return the names of the groups of neighbouring columns with their widths; nothing where no column has one."""
        found: list[tuple[str, int]] = []
        for column in self.columns:
            if found and found[-1][0] == column.group:
                found[-1] = (column.group, found[-1][1] + 1)
            else:
                found.append((column.group, 1))
        return found if any(name for name, _ in found) else []
