"""A comparison in the shape in which its published table was printed, each number beside the published one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from medssl_bench.published.layout import ArmRow, BestRow, ImprovementRow, PairedRow
from medssl_bench.results.choice_notes import choice_notes
from medssl_bench.results.corrected import corrected_improvement
from medssl_bench.results.flags import flag_notes
from medssl_bench.results.pairing import among_best, contrast

if TYPE_CHECKING:
    from medssl_bench.published.layout import Block, LayoutRow
    from medssl_bench.results.cells import Cell
    from medssl_bench.results.intervals import Intervals
    from medssl_bench.results.tables import TableResult

RowKind = Literal["arm", "best", "improvement", "corrected", "paired"]


@dataclass(frozen=True)
class PrintedCell:
    """One number of a printed table.

    Attributes:
        labels: text of the label budget.
        metric: name of the metric.
        mean: mean over seeds and draws; of an improvement, a difference; None while there is none.
        std: sample standard deviation, or None for fewer than two values.
        n: number of values.
        expected: how many there are when all is done.
        failed: how many are not there as their stage failed; of a difference, as one of its two failed.
        blocked: how many cannot be made, as something that they build on failed.
        reference: the published number, computed by the row's rule from published ones; or None.
        arm: the arm whose number it is, where the row picks one; else an empty string.
        of: the cell that it shows, or the contrast of two; None where there is none, or an arm is yet to be picked.
    """

    labels: str
    metric: str
    mean: float | None = None
    std: float | None = None
    n: int = 0
    expected: int = 0
    failed: int = 0
    blocked: int = 0
    reference: float | None = None
    arm: str = ""
    of: Cell | None = None

    @classmethod
    def showing(cls, cell: Cell, reference: float | None, arm: str = "") -> PrintedCell:
        """Return a cell, or a contrast of two, as it is printed."""
        return cls(
            cell.labels, cell.metric, cell.mean, cell.std, cell.n, cell.expected, cell.failed, cell.blocked,
            reference, arm, cell,
        )  # fmt: skip


@dataclass(frozen=True)
class PrintedRow:
    """One row; `extra` marks an arm that the published table does not have."""

    heads: tuple[str, ...]
    kind: RowKind
    cells: tuple[PrintedCell, ...]
    extra: bool = False

    @property
    def is_difference(self) -> bool:
        """Whether its numbers are differences."""
        return self.kind in {"improvement", "corrected", "paired"}


@dataclass(frozen=True)
class PrintedBlock:
    """The part of a printed table that is of one data set.

    Attributes:
        title: such as ``(a) Colon pathology``.
        dataset: label of the data set.
        heads: heads of the columns at the left.
        budgets: texts of the label budgets, in order.
        metrics: head of each metric's column, by its name.
        rows: the rows.
    """

    title: str
    dataset: str
    heads: tuple[str, ...]
    budgets: tuple[str, ...]
    metrics: dict[str, str]
    rows: tuple[PrintedRow, ...]

    def best(self, column: int) -> set[int]:
        """Return the rows that are printed in bold in a column, by the rule of `among_best`."""
        cells = {place: row.cells[column] for place, row in enumerate(self.rows) if not row.is_difference}
        if any(cell.of is None and cell.expected for cell in cells.values()):
            return set()  # an arm is yet to be picked
        shown = {place: cell.of for place, cell in cells.items() if cell.of is not None}
        best = among_best({cell.arm: cell for cell in shown.values()})
        return {place for place, cell in shown.items() if cell.arm in best}


@dataclass(frozen=True)
class PrintedTable:
    """A comparison as its published table was printed.

    Attributes:
        comparison: id of the comparison.
        name: of the published table, such as ``Table 7.1``.
        title: of the comparison.
        marks: what a reader must know before the numbers.
        citation: where the published numbers are from.
        group: what the label budgets are of.
        blocks: its parts.
        flags: lines on results that are to be believed with care.
    """

    comparison: str
    name: str
    title: str
    marks: tuple[str, ...]
    citation: str
    group: str
    blocks: tuple[PrintedBlock, ...]
    flags: tuple[str, ...] = ()


def printed(table: TableResult, intervals: Intervals | None) -> PrintedTable | None:
    """Return a comparison in the shape of its published table, or None where no shape was published.

    Args:
        table: the comparison.
        intervals: what reads predictions; None: no improvement is measured on other images.
    """
    layout = table.layout
    if layout is None:
        return None
    datasets = list(dict.fromkeys(panel.dataset for panel in table.panels))
    parts = [(dataset, block) for dataset in datasets for block in layout.blocks]
    blocks = []
    for number, (dataset, block) in enumerate(parts):
        name = layout.datasets.get(table.published.get(dataset, ""), dataset)
        letter = f"({chr(ord('a') + number)}) " if len(parts) > 1 else ""
        title = letter + ", ".join(part for part in (name, block.caption) if part)
        last = block is layout.blocks[-1]
        blocks.append(_block(table, dataset, block, title, intervals, others=last))
    return PrintedTable(
        table.id,
        layout.name,
        table.title,
        tuple(table.marks),
        table.citation,
        layout.group,
        tuple(blocks),
        (*choice_notes(table.cells()), *flag_notes(table.cells())),
    )


def _block(
    table: TableResult, dataset: str, block: Block, title: str, intervals: Intervals | None, *, others: bool
) -> PrintedBlock:
    metrics = dict(table.layout.metrics) if table.layout else {}
    panels = {metric: found for metric in metrics if (found := table.panel(dataset, metric))}
    budgets = tuple(next(iter(panels.values())).budgets) if panels else ()
    columns = [(labels, metric) for labels in budgets for metric in panels]
    cells = {
        (arm, labels, metric): cell for metric, panel in panels.items() for (arm, labels), cell in panel.cells.items()
    }
    arms = list(dict.fromkeys(arm for arm, _, _ in cells))
    rows = []
    for row in block.rows:
        if all(arm in arms for arm in _arms(row)):
            rows.append(_row(row, columns, cells))
            if isinstance(row, ImprovementRow) and intervals:
                corrected = _corrected(row, columns, cells, intervals)
                rows += [corrected] if any(cell.n for cell in corrected.cells) else []
    if others:
        known = {
            arm for part in (table.layout.blocks if table.layout else ()) for row in part.rows for arm in _arms(row)
        }
        blank = ("",) * (len(block.heads) - 1)
        rows += [
            PrintedRow((arm, *blank), "arm", tuple(_arm_cell(cells, arm, *column) for column in columns), extra=True)
            for arm in arms
            if arm not in known
        ]
    return PrintedBlock(title, dataset, block.heads, budgets, {m: metrics[m] for m in panels}, tuple(rows))


_Cells = dict[tuple[str, str, str], "Cell"]


def _arms(row: LayoutRow) -> Sequence[str]:
    match row:
        case ArmRow():
            return (row.arm,)
        case BestRow():
            return row.arms
        case ImprovementRow():
            return (*row.arms, *row.over)
        case PairedRow():
            return (row.arm, row.over)


def _row(row: LayoutRow, columns: list[tuple[str, str]], cells: _Cells) -> PrintedRow:
    match row:
        case ArmRow():
            return PrintedRow(row.heads, "arm", tuple(_arm_cell(cells, row.arm, *column) for column in columns))
        case BestRow():
            return PrintedRow(row.heads, "best", tuple(_best_cell(cells, row.arms, *column) for column in columns))
        case ImprovementRow():
            found = tuple(_improvement(cells, row, *column) for column in columns)
            return PrintedRow(row.heads, "improvement", found)
        case PairedRow():
            paired = tuple(_difference(cells, row.arm, row.over, *column) for column in columns)
            return PrintedRow(row.heads, "paired", paired)


def _arm_cell(cells: _Cells, arm: str, labels: str, metric: str) -> PrintedCell:
    cell = cells.get((arm, labels, metric))
    return PrintedCell(labels, metric) if cell is None else PrintedCell.showing(cell, cell.reference)


def _picked(cells: _Cells, arms: Sequence[str], labels: str, metric: str) -> str | None:
    """Return the arm with the best mean; None while one of them has not all its values.

    An arm some of whose trials failed is not picked: what is left of it may be its lucky half.
    """
    found = {arm: cell for arm in arms if (cell := cells.get((arm, labels, metric)))}
    if any(cell.is_waiting for cell in found.values()):
        return None
    means = {arm: cell.mean for arm, cell in found.items() if cell.mean is not None and not cell.lost}
    return _best_of(found.values())(means, key=lambda arm: means[arm]) if means else None


def _published_best(cells: _Cells, arms: Sequence[str], labels: str, metric: str) -> float | None:
    found = [cells[arm, labels, metric] for arm in arms if (arm, labels, metric) in cells]
    return _best_of(found)((cell.reference for cell in found if cell.reference is not None), default=None)


def _best_of(cells: Iterable[Cell]) -> Any:
    """Return `max`, or `min` where lower is better."""
    return max if all(cell.higher_is_better for cell in cells) else min


def _best_cell(cells: _Cells, arms: Sequence[str], labels: str, metric: str) -> PrintedCell:
    reference = _published_best(cells, arms, labels, metric)
    arm = _picked(cells, arms, labels, metric)
    if arm is None:
        return _waiting(cells, arms, labels, metric, reference)
    return PrintedCell.showing(cells[arm, labels, metric], reference, arm)


def _improvement(cells: _Cells, row: ImprovementRow, labels: str, metric: str) -> PrintedCell:
    best, over = (_published_best(cells, arms, labels, metric) for arms in (row.arms, row.over))
    reference = None if best is None or over is None else best - over
    new, old = (_picked(cells, arms, labels, metric) for arms in (row.arms, row.over))
    if new is None or old is None:
        return _waiting(cells, (*row.arms, *row.over), labels, metric, reference)
    paired = contrast([(1, cells[new, labels, metric]), (-1, cells[old, labels, metric])])
    return PrintedCell.showing(paired, reference, f"{new} − {old}")


def _corrected(row: ImprovementRow, columns: list[tuple[str, str]], cells: _Cells, intervals: Intervals) -> PrintedRow:
    """Return the row of an improvement on other images; a column has nothing while an arm is not finished."""
    found = []
    for labels, metric in columns:
        column = {arm: cell for (arm, *place), cell in cells.items() if place == [labels, metric]}
        mean = corrected_improvement(row.arms, row.over, column, intervals)
        found.append(PrintedCell(labels, metric, mean, n=int(mean is not None), expected=int(mean is not None)))
    return PrintedRow((f"{row.heads[0]}, other images".lstrip(", "), *row.heads[1:]), "corrected", tuple(found))


def _difference(cells: _Cells, arm: str, over: str, labels: str, metric: str) -> PrintedCell:
    one, other = (cells.get((name, labels, metric)) for name in (arm, over))
    if one is None or other is None:
        return PrintedCell(labels, metric)
    published = None if one.reference is None or other.reference is None else one.reference - other.reference
    return PrintedCell.showing(contrast([(1, one), (-1, other)]), published)


def _waiting(cells: _Cells, arms: Sequence[str], labels: str, metric: str, reference: float | None) -> PrintedCell:
    found = [cell for arm in arms if (cell := cells.get((arm, labels, metric)))]
    return PrintedCell(
        labels,
        metric,
        expected=max((cell.expected for cell in found), default=0),
        failed=max((cell.failed for cell in found), default=0),
        blocked=max((cell.blocked for cell in found), default=0),
        reference=reference,
    )
