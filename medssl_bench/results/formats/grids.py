"""Makes grids of what a leaderboard holds: panels, analyses, rankings, and tables in their published shape."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from medssl_bench.results.formats.across_text import across_notes
from medssl_bench.results.formats.judged_text import half_width
from medssl_bench.results.formats.text import (
    bold_notes,
    heading,
    missing,
    nothing,
    plain,
    points,
    ranking_note,
    ranking_title,
    safe_choice,
    signed,
    spread_note,
)
from medssl_bench.results.grid import Column, Grid, GridCell, GridRow
from medssl_bench.results.metric_names import metric_name

if TYPE_CHECKING:
    from medssl_bench.results.by_class import ClassTable
    from medssl_bench.results.cells import Cell
    from medssl_bench.results.printed import PrintedBlock, PrintedCell, PrintedRow, PrintedTable
    from medssl_bench.results.ranking import Ranking
    from medssl_bench.results.tables import Panel, TableResult


def panel_grid(panel: Panel, baseline: str | None) -> Grid:
    """Return a panel as a grid: arms by label budgets."""
    best = {budget: panel.best(budget) for budget in panel.budgets}
    return Grid(
        f"{panel.dataset}: {metric_name(panel.metric)}{'' if panel.higher_is_better else ' (lower is better)'}",
        ("arm \\ labels",),
        tuple(Column(budget) for budget in panel.budgets),
        tuple(
            GridRow(
                (arm + (" (baseline)" if arm == baseline else ""),),
                tuple(judged_cell(panel.cells.get((arm, b)), best=arm in best[b]) for b in panel.budgets),
                quiet=arm in panel.floors,
            )
            for arm in panel.arms
        ),
    )


def judged_cell(cell: Cell | None, *, best: bool = False) -> GridCell:
    """Return a cell of a panel as it is written, with its verdict and one interval: that of the difference, if any.

    What is read of an arm is its difference to the baseline; JSON and CSV have the interval of its own mean too.
    """
    written = cell_of(cell, best=best)
    if cell is None or cell.mean is None:
        return written
    judged = cell.judged
    difference = " ".join(part for part in (written.difference, half_width(judged.difference)) if part)
    own = "" if judged.difference is not None else half_width(judged.own) or written.spread
    return replace(written, spread=own, difference=difference, verdict=judged.told)


def cell_of(cell: Cell | None, *, best: bool = False) -> GridCell:
    """Return a cell as it is written, with its standard deviation."""
    if cell is None:
        return GridCell()
    if cell.mean is None:
        reference = "" if cell.reference is None else plain(cell.reference)
        return GridCell(nothing(cell), reference=reference, failed=bool(cell.lost))
    return GridCell(
        value=plain(cell.mean),
        spread="" if cell.std is None else f"± {cell.std:.3f}",
        missing=missing(cell),
        difference="" if cell.difference is None else signed(cell.difference),
        reference="" if cell.reference is None else plain(cell.reference),
        gap="" if cell.reference is None else signed(cell.mean - cell.reference),
        best=best,
        failed=bool(cell.lost),
    )


def analyses_grid(table: TableResult) -> Grid | None:
    """Return what the analyses of a table found, or None where there is nothing yet."""
    metrics = list(dict.fromkeys(metric for row in table.analyses for metric in row.metrics))
    if not metrics:
        return None
    rows = tuple(
        GridRow(
            (row.dataset, row.arm if row.labels is None else f"{row.arm}, {row.labels} labels"),
            tuple(cell_of(row.metrics.get(metric)) for metric in metrics),
        )
        for row in table.analyses
    )
    columns = tuple(Column(metric.replace("_", " ")) for metric in metrics)
    shaped = any(row.labels is not None for row in table.analyses)
    mark = f" — of those trained with labels: {table.selection.own_mark}" if shaped and table.selection else ""
    shown = tuple(spread_note(table.analysed()))
    return Grid(f"analyses of the encoders{mark}", ("data set", "arm"), columns, rows, shown)


def class_grid(table: ClassTable) -> Grid:
    """Return a metric of each class as a grid: arms by classes."""
    rows = [GridRow(("test images",), tuple(GridCell(f"{count:,}") for count in table.images), quiet=True)]
    for arm, values in table.arms.items():
        cells = (
            GridCell("–") if each is None else GridCell(plain(each[0]), "" if each[1] is None else f"± {each[1]:.3f}")
            for each in values
        )
        rows.append(GridRow((arm,), tuple(cells)))
    most = max(each[2] for values in table.arms.values() for each in values if each is not None)
    of = (
        (f"Mean and standard deviation of {most} results; the latter says nothing of test images.",) if most > 1 else ()
    )
    columns = tuple(Column(name) for name in table.classes)
    title = f"{table.dataset}, {table.labels} labels: {metric_name(table.metric).removeprefix('macro ')} of each class"
    return Grid(title, ("arm",), columns, tuple(rows), of)


def optimism_grids(table: TableResult) -> list[Grid]:
    """Return what choosing epochs on test would gain, as one grid; none where nothing was spied on."""
    if not table.optimism:
        return []
    rows = tuple(
        GridRow(
            (each.dataset, f"{each.arm}, {each.labels} labels", metric_name(each.metric)),
            (
                *map(GridCell, map(plain, (each.last, each.chosen, each.best))),
                GridCell(signed(each.best - each.chosen), half_width(each.gain)),
            ),
        )
        for each in table.optimism
    )
    columns = tuple(Column(name) for name in ("last epoch", "epoch that counts", "best on test", "optimism"))
    note = (
        "All on test images, of one training each. Optimism: what choosing the epoch on test would gain; ±: half of "
        "the 95 % interval for other training seeds and label draws, not for other test images. No ranking has these."
    )
    single = dict.fromkeys(repr(each.arm) for each in table.optimism if each.epochs == 1)
    told = f"One epoch was looked at for {', '.join(single)}, so there was nothing to choose: see `validate_every`."
    notes = (note, told) if single else (note,)
    return [Grid("Optimism of choosing the epoch on test", ("data set", "arm", "metric"), columns, rows, notes)]


def ranking_grid(ranking: Ranking) -> Grid:
    """Return a ranking as a grid."""
    with_chance = any(rank.first is not None for rank in ranking.ranks)
    rows = tuple(
        GridRow(
            (rank.arm,),
            (
                GridCell(f"{rank.mean_rank:.2f}"),
                *([GridCell(f"{rank.low:.2f}–{rank.high:.2f}"), GridCell(f"{rank.first:.0%}")] if with_chance else []),
                GridCell(f"{rank.worst_rank:g}"),
                GridCell(str(rank.wins), missing=f"of {rank.datasets}"),
            ),
        )
        for rank in ranking.ranks
    )
    of_chance = (Column("95 %"), Column("is first")) if with_chance else ()
    columns = (Column("mean rank"), *of_chance, Column("worst"), Column("best in"))
    shown = (ranking_note(ranking), *safe_choice(ranking), *across_notes(ranking.across))
    return Grid(ranking_title(ranking), ("arm",), columns, rows, shown)


def printed_grids(table: PrintedTable) -> list[Grid]:
    """Return the blocks of a table in its published shape as grids."""
    return [_block_grid(block) for block in table.blocks]


def printed_heading(table: PrintedTable) -> str:
    """Return the title of a table in its published shape."""
    title = table.title if table.name in table.title else f"{table.title} ({table.name})"
    return heading(title, table.marks)


def printed_notes(table: PrintedTable) -> list[str]:
    """Return what stands under a table in its published shape."""
    rows = [row for block in table.blocks for row in block.rows]
    cells = [cell for row in rows for cell in row.cells]
    found = [f"Columns: number of {table.group}, of the metrics {_metrics(table)}."]
    found += spread_note(cell.of for cell in cells if cell.of is not None)
    found += bold_notes(
        block.rows[row].cells[place].of
        for block in table.blocks
        for place in range(len(block.budgets) * len(block.metrics))
        for row in block.best(place)
    )
    if any(cell.reference is not None for cell in cells):
        found.append(f"ref: published value, or by the row's rule from published values, {table.citation}.")
    if any(row.kind == "improvement" for row in rows):
        found.append(
            "Improvement: best new arm minus best standard arm of each column, both picked on test as published, so it "
            "is optimistic; the rows below it are paired differences, in which nothing is picked."
        )
    if any(row.kind == "corrected" for row in rows):
        found.append(
            "Other images: the same, but both arms are picked on resampled test images and compared on those outside "
            "of the sample (the mean of 1,000 resamples)."
        )
    return [*found, *table.flags]


def _metrics(table: PrintedTable) -> str:
    names = {head: metric_name(metric) for block in table.blocks for metric, head in block.metrics.items()}
    return ", ".join(f"{head} ({name})" for head, name in names.items())


def _block_grid(block: PrintedBlock) -> Grid:
    columns = tuple(Column(head, group=budget) for budget in block.budgets for head in block.metrics.values())
    best = [block.best(place) for place in range(len(columns))]
    rows = []
    for place, row in enumerate(block.rows):
        before = block.rows[place - 1] if place else row
        cells = tuple(_printed_cell(cell, row, best=place in best[column]) for column, cell in enumerate(row.cells))
        ruled = (row.is_difference and not before.is_difference) or (row.extra and not before.extra)
        rows.append(GridRow(row.heads, cells, quiet=row.extra or row.kind in {"corrected", "paired"}, ruled=ruled))
    return Grid(block.title, block.heads, columns, tuple(rows))


def _printed_cell(cell: PrintedCell, row: PrintedRow, *, best: bool) -> GridCell:
    def written(value: float) -> str:
        if not row.is_difference:
            return plain(value)
        return points(value) if cell.metric == "accuracy" else signed(value)

    if not cell.expected:
        return GridCell()
    reference = "" if cell.reference is None else written(cell.reference)
    if cell.mean is None:
        return GridCell(nothing(cell), reference=reference, failed=bool(cell.failed or cell.blocked))
    return GridCell(
        value=written(cell.mean),
        spread="" if cell.std is None else "± " + written(cell.std).lstrip("+"),
        missing=missing(cell),
        reference=reference,
        gap="" if cell.reference is None or row.is_difference else signed(cell.mean - cell.reference),
        best=best and not row.is_difference,
        failed=bool(cell.failed or cell.blocked),
    )
