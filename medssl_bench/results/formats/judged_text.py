"""How intervals and verdicts are written, in every form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.results.metric_names import metric_name
from medssl_bench.statistics.design import MOST
from medssl_bench.statistics.verdict import ALPHA

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from medssl_bench.results.cells import Cell
    from medssl_bench.results.judged import Judged
    from medssl_bench.results.tables import TableResult
    from medssl_bench.statistics.design import Design
    from medssl_bench.statistics.interval import Estimate

_FIXED = {
    "seed": "One training seed: differences may be luck, so there are no verdicts.",
    "draw": "One label draw: intervals are for this draw alone.",
}
_TOO_FEW = {
    "images": "more runs will not tell, the test set is too small",
    "runs": f"more than {MOST} training seeds or label draws would be needed",
}
_NAMED = 3
"""Differences that cannot be told are named up to this number."""

_CHANCES = ("training seeds", "label draws", "test images")


def half_width(estimate: Estimate | None) -> str:
    """Return half of the 95 % interval: ``± 0.012``; nothing without one."""
    return "" if estimate is None else f"± {estimate.half():.3f}"


def judged_notes(table: TableResult) -> list[str]:
    """Return what intervals and verdicts of a table mean, and on which line its differences stand."""
    return [*_over(table.cells()), *_second_line(table), *_told(table)]


def chance_notes(table: TableResult) -> list[str]:
    """Return what the intervals of a table are over, what its verdicts mean, and what would tell more."""
    return [*_over(table.cells()), *_told(table)]


def _over(cells: Sequence[Cell]) -> list[str]:
    estimates = [each for cell in cells for each in (cell.judged.own, cell.judged.difference) if each is not None]
    return [
        *interval_note(cells),
        *_folds(cells),
        *(text for axis, text in _FIXED.items() if any(axis in each.fixed for each in estimates)),
    ]


def _second_line(table: TableResult) -> list[str]:
    cells = table.cells()
    if any(cell.judged.difference is not None for cell in cells):
        return [f"Second line: mean paired difference to {table.baseline!r}, with its ±."]
    if any(cell.difference is not None for cell in cells):
        return [f"Second line: mean paired difference to {table.baseline!r}, of the same seeds and draws."]
    return []


def _told(table: TableResult) -> list[str]:
    cells = table.cells()
    return [*_words(table, cells), *_needed(cells), *_without(cells), *_no_verdicts(table)]


def interval_note(cells: Sequence[Cell]) -> list[str]:
    """Return what intervals are over: the most of each data set, as an arm may lack a seed or a draw."""
    most: dict[str, Estimate] = {}
    for cell in cells:
        for each in (cell.judged.own, cell.judged.difference):
            if each is not None and (cell.dataset not in most or each.shape > most[cell.dataset].shape):
                most[cell.dataset] = each
    if not most:
        return []
    by_size: dict[str, list[str]] = {}
    for dataset, estimate in most.items():
        by_size.setdefault(_size(estimate), []).append(dataset)
    several = len(by_size) > 1
    sizes = "; ".join(f"{size} ({', '.join(names)})" if several else size for size, names in by_size.items())
    varied = {place for each in most.values() for place in range(3) if each.shape[place] > 1}
    groups = any(each.groups for each in most.values())
    names = [name for place, name in enumerate(_CHANCES) if place in varied]
    names = [*names[:-1], "groups of test images"] if groups else names
    chances = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    return [f"±: half of the 95 % interval, for other {chances}: {sizes}."]


def _folds(cells: Iterable[Cell]) -> list[str]:
    if any(value.fold is not None for cell in cells if cell.judged.own is not None for value in cell.values):
        return ["Folds share most of their training images; ± does not count what other folds would change."]
    return []


def _size(estimate: Estimate) -> str:
    names = ("training seeds", "label draws", "groups of test images" if estimate.groups else "test images")
    return " x ".join(f"{count:,} {name}" for count, name in zip(estimate.shape, names, strict=True) if count > 1)


def _words(table: TableResult, cells: Iterable[Cell]) -> list[str]:
    told = [cell for cell in cells if cell.judged.told]
    if not told:
        return []
    columns = {(cell.dataset, cell.labels) for cell in told}
    family = max(cell.judged.family for cell in told)
    of = "differences of all columns" if table.holm == "table" else "arms of a column"
    adjusted = f" after Holm's adjustment for the {family} {of}" if family > 1 else ""
    number = "1 column" if len(columns) == 1 else f"{len(columns)} columns"
    line = f"Words, by {metric_name(told[0].metric)}: better or worse where p < {ALPHA:g}{adjusted}; {number}."
    if any(cell.judged.verdict and cell.judged.verdict.within for cell in told) and table.margin is not None:
        line += f" No difference that matters: the 90 % interval is within ±{table.margin:g}."
    return [line]


def needed_text(judged: Judged) -> str:
    """Return about how many runs would tell a difference, or why none would; nothing where that is no question."""
    if judged.needed is None:
        return _TOO_FEW.get(judged.too_few, "")
    return _designs([judged.needed])


def _needed(cells: Sequence[Cell]) -> list[str]:
    """Return what would tell the differences that cannot be told; of more than a few, how many there are."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        if text := needed_text(cell.judged):
            found.setdefault(text, []).append(cell)
    if sum(map(len, found.values())) > _NAMED:
        return [_counted([cell.judged for alike in found.values() for cell in alike], cells)]
    return [f"Cannot tell: {', '.join(map(_place, alike))}: {what}." for what, alike in found.items()]


def _place(cell: Cell) -> str:
    return f"{cell.arm!r} on {cell.dataset} at {cell.labels} labels"


def _counted(open_: Sequence[Judged], cells: Iterable[Cell]) -> str:
    told = sum(bool(cell.judged.told) for cell in cells)
    few = [judged.too_few for judged in open_]
    parts = [f"for {few.count(word)}, {text}" for word, text in _TOO_FEW.items() if word in few]
    if designs := [judged.needed for judged in open_ if judged.needed is not None]:
        parts.insert(0, f"for {len(designs)}, {_designs(designs)}")
    return f"Cannot tell {len(open_)} of {told} differences: {'; '.join(parts)}. The report and the JSON have each."


def _designs(designs: Sequence[Design]) -> str:
    """Return what these designs have, from the least to the most: ``about 4 to 9 training seeds would do``."""
    draws = [design.draws for design in designs if design.draws > 1]
    of_draws = f" x {_span(draws)} label draws" if draws else ""
    return f"about {_span([design.seeds for design in designs])} training seeds{of_draws} would do"


def _span(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(high) if low == high else f"{low} to {high}"


def _without(cells: Iterable[Cell]) -> list[str]:
    """Return why finished cells have no interval, a line for each reason."""
    found: dict[str, dict[str, None]] = {}
    for cell in cells:
        if cell.judged.why and cell.is_whole and cell.judged.own is None:
            found.setdefault(cell.judged.why, {})[metric_name(cell.metric)] = None
    return [f"No interval of {', '.join(names)}: {reason}." for reason, names in found.items()]


def _no_verdicts(table: TableResult) -> list[str]:
    """Return why a table with intervals has no verdicts, where it is for its first metric."""
    if table.baseline is None or not any(cell.judged.difference for cell in table.cells()):
        return []
    metric = table.panels[0].metric
    whole = [cell for cell in table.cells() if cell.metric == metric and cell.is_whole]
    if not whole or any(cell.judged.own for cell in whole):
        return []
    return [f"No verdicts: they are by {metric_name(metric)}, the first metric, which has no interval."]
