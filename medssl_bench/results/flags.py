"""What must be known of single results before a table is believed, gathered to a line for each arm."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from medssl_bench.results.cells import Cell
    from medssl_bench.results.value import Value


def flagged(results: Sequence[tuple[str, Mapping[str, str]]]) -> list[str]:
    """Return a line for each flag of some stages: how many have it, and what it says of the first.

    Args:
        results: title and flags of each stage.
    """
    by_code: dict[str, list[tuple[str, str]]] = {}
    for title, flags in results:
        for code, sentence in flags.items():
            by_code.setdefault(code, []).append((title, sentence))
    lines = []
    for found in by_code.values():
        count = f"{len(found)} stages are flagged" if len(found) > 1 else "1 stage is flagged"
        lines.append(f"{count}: {_together(found)}")
    return lines


def flag_notes(cells: Iterable[Cell]) -> list[str]:
    """Return a line for each arm, data set and flag of a table: how many results have it, and what it says.

    Args:
        cells: of all metrics; a result counts once, whatever it measured.
    """
    groups: dict[tuple[str, str], dict[str, list[Cell]]] = {}
    for cell in cells:
        columns = groups.setdefault((cell.dataset, cell.arm), {})
        columns.setdefault(cell.labels, []).append(cell)
    several = len({dataset for dataset, _ in groups}) > 1
    lines = []
    for (dataset, arm), columns in groups.items():
        results = {labels: _results(found) for labels, found in columns.items()}
        codes = dict.fromkeys(code for found in results.values() for value in found for code in value.flags)
        for code in codes:
            here = {labels: found for labels, found in results.items() if any(code in value.flags for value in found)}
            every = [value for found in here.values() for value in found]
            said = [(str(v.chance), v.flags[code]) for v in every if code in v.flags]
            where = f" on {dataset}" if several else ""
            budgets = ", ".join(here)
            budgets = "" if budgets == "none" else f" at {budgets} labels"  # an encoder that no labels have shaped
            lines.append(f"{len(said)} of {len(every)} results of {arm!r}{where}{budgets}: {_together(said)}.")
    return lines


def _results(cells: Sequence[Cell]) -> list[Value]:
    """Return the values of the cells of one arm and budget, one for each trial."""
    return list({value.chance: value for cell in cells for value in cell.values}.values())


def _together(said: Sequence[tuple[str, str]]) -> str:
    """Return one sentence for several results; what stands in its brackets is of the first where they differ."""
    whose, first = said[0]
    if len({sentence for _, sentence in said}) == 1:
        return first
    head, bracket, rest = first.partition(" (")
    return f"{head} ({whose}: {rest}" if bracket else f"{first} ({whose})"
