"""What validation labels have chosen for the arms of a table, gathered to a line for each arm."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from medssl_bench.results.choices import chosen_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from medssl_bench.results.cells import Cell

_MOST = 3
"""How many choices of an arm at one budget are named."""


def choice_notes(cells: Iterable[Cell]) -> list[str]:
    """Return a line for each arm and data set that says what was chosen, and for how many results.

    Args:
        cells: of all metrics; a result counts once, whatever it measured.
    """
    groups: dict[tuple[str, str], dict[str, dict[object, str]]] = {}
    for cell in cells:
        for value in cell.values:
            if value.tuned:
                budgets = groups.setdefault((cell.dataset, cell.arm), {})
                budgets.setdefault(cell.labels, {})[value.chance] = chosen_text(value.tuned)
    several = len({dataset for dataset, _ in groups}) > 1
    lines = []
    for (dataset, arm), budgets in groups.items():
        where = f" on {dataset}" if several else ""
        told = "; ".join(f"at {labels} labels {_counted(list(found.values()))}" for labels, found in budgets.items())
        lines.append(f"Chosen for {arm!r}{where} by validation labels: {told}.")
    return lines


def _counted(chosen: list[str]) -> str:
    counted = Counter(chosen).most_common()
    if len(counted) == 1:
        return chosen[0]
    named = [f"{text} ({number} of {len(chosen)})" for text, number in counted[:_MOST]]
    rest = sum(number for _, number in counted[_MOST:])
    return ", or ".join([*named, *([f"others ({rest} of {len(chosen)})"] if rest else [])])
