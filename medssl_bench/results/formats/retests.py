"""How it is written what classifiers measure on corrupted images, and on those of other data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.results.formats.grids import cell_of, judged_cell
from medssl_bench.results.formats.judged_text import interval_note
from medssl_bench.results.formats.text import plain, problem_notes, signed, spread_note
from medssl_bench.results.grid import Column, Grid, GridCell, GridRow
from medssl_bench.results.metric_names import metric_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from medssl_bench.results.cells import Cell
    from medssl_bench.results.leaderboard import Leaderboard
    from medssl_bench.results.retested import Pair
    from medssl_bench.results.robustness import RobustArm, Robustness
    from medssl_bench.results.tables import Panel, TableResult
    from medssl_bench.results.transfers import Transfer

SOURCE = "Di Salvo, Doerrich and Ledig 2024 (MedMNIST-C)"


def retest_grids(board: Leaderboard, table: TableResult) -> list[Grid]:
    """Return what the classifiers of a comparison measure on corrupted images, and on other data sets."""
    grids = [_robustness(found) for found in board.robustness if found.comparison == table.id]
    told: set[tuple[str, str]] = set()
    for found in board.transfers:
        if found.comparison == table.id:
            place = (found.dataset, found.other)
            grids.append(_transfer(found, with_notes=place not in told))
            told.add(place)
    return grids


def _robustness(found: Robustness) -> Grid:
    relative = ("BE", "rel. BE") if found.baseline else ("BE",)
    names = ("clean", "corrupted", "drop", *relative)
    columns = tuple(Column(name, f"{labels} labels") for labels in found.panel.budgets for name in names)
    rows = tuple(
        GridRow(
            (_head(arm, found.baseline),),
            tuple(
                cell
                for labels in found.panel.budgets
                for cell in _robust_cells(found.arms.get((arm, labels)), len(names))
            ),
            quiet=arm in found.panel.floors,
        )
        for arm in found.panel.arms
    )
    number = f"{len(found.corruptions)} corruptions" if len(found.corruptions) > 1 else found.corruptions[0]
    word = "severity" if len(found.severities) == 1 else "severities"
    severities = f"{word} {', '.join(map(str, found.severities))}" if found.severities else "no results yet"
    title = f"{found.dataset}, corrupted: {metric_name(found.metric)}, {number}, {severities}"
    return Grid(title, ("arm",), columns, rows, tuple(robustness_notes(found)))


def _robust_cells(arm: RobustArm | None, width: int) -> tuple[GridCell, ...]:
    if arm is None:
        return (GridCell(),) * width
    numbers = (arm.error, arm.relative)[: width - 3]
    return (*_pair_cells(arm.pair), *(GridCell("–" if each is None else plain(each)) for each in numbers))


def _pair_cells(pair: Pair) -> tuple[GridCell, GridCell, GridCell]:
    drop = GridCell("–" if pair.drop is None else signed(pair.drop))
    here = cell_of(pair.here)
    return GridCell(here.value, missing=here.missing, failed=here.failed), judged_cell(pair.there), drop


def robustness_notes(found: Robustness) -> list[str]:
    """Return what must be known of the numbers of corrupted images."""
    return [*what_corrupted_is(found), *_chance_notes(found.panel, found.baseline), *found.notes]


def what_corrupted_is(found: Robustness) -> list[str]:
    """Return what the numbers of corrupted images are, whatever chance does to them."""
    names = ", ".join(found.corruptions)
    means = f"Corrupted: mean over corruptions ({names}) and severities, after {SOURCE}; the same images for every arm."
    errors = "Drop: clean minus corrupted. BE: balanced error, 1 - balanced accuracy"
    if found.baseline:
        errors += f"; rel. BE: mean over corruptions of BE divided by that of {found.baseline!r}"
    return [means, f"{errors}."]


def _transfer(found: Transfer, *, with_notes: bool) -> Grid:
    """Return a grid; what is to be known of it stands under that of the first metric."""
    columns = tuple(
        Column(name, f"{labels} labels") for labels in found.panel.budgets for name in ("here", "there", "drop")
    )
    rows = tuple(
        GridRow(
            (_head(arm, found.baseline),),
            tuple(
                cell
                for labels in found.panel.budgets
                for cell in (_pair_cells(found.arms[arm, labels]) if (arm, labels) in found.arms else (GridCell(),) * 3)
            ),
            quiet=arm in found.panel.floors,
        )
        for arm in found.panel.arms
    )
    lower = "" if found.panel.higher_is_better else " (lower is better)"
    title = f"{found.dataset}, tested on {found.other}: {metric_name(found.metric)}{lower}"
    notes = transfer_notes(found) if with_notes else _transfer_chance(found)
    return Grid(title, ("arm",), columns, rows, tuple(notes))


def transfer_notes(found: Transfer) -> list[str]:
    """Return what must be known of the numbers of another data set."""
    return [*what_there_is(found), *_transfer_chance(found), *found.notes]


def what_there_is(found: Transfer) -> list[str]:
    """Return what the numbers of another data set are, and what it shares with the images that were trained on."""
    pairs = ", ".join(
        own if theirs in ([own], []) else f"{own} (there: {' + '.join(theirs)})"
        for own, theirs in found.classes.items()
    )
    images = "no results yet" if found.images is None else f"{found.images:,} test images there"
    more = f", {found.left_out:,} of other classes left out" if found.left_out else ""
    scaled = "Scores are of the shared classes alone, and sum to 1 again."
    scaled = "Labels that only one of the sets has do not count." if found.multi_label else scaled
    lines = [
        f"Here: own test images of the shared classes; there: those of {found.other}, by the same classifiers.",
        "Drop: how much worse it is there.",
        f"Shared classes: {pairs}; {images}{more}. {scaled}",
    ]
    if found.copies:
        are = "is a copy" if found.copies == 1 else "are copies"
        lines.append(f"{found.copies:,} test images of {found.other} {are} of training images of {found.dataset}.")
    return lines


def _transfer_chance(found: Transfer) -> list[str]:
    """Return what chance does to the numbers of one metric, and why some are not there."""
    cells = [cell for pair in found.arms.values() for cell in (pair.here, pair.there)]
    return [*_chance_notes(found.panel, found.baseline), *problem_notes(cells)]


def _chance_notes(panel: Panel, baseline: str | None) -> list[str]:
    cells: Iterable[Cell] = list(panel.cells.values())
    lines = interval_note(list(cells)) or spread_note(cells)
    if baseline and any(cell.judged.difference is not None for cell in cells):
        words = "; words as in the table above" if any(cell.judged.told for cell in cells) else ""
        lines.append(f"Second line: mean paired difference to {baseline!r}, with its ±{words}.")
    return lines


def _head(arm: str, baseline: str | None) -> str:
    return arm + (" (baseline)" if arm == baseline else "")
