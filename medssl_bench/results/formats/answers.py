"""What a comparison says, in a few sentences: which arms are better than its baseline, and which are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.results.formats.text import signed
from medssl_bench.results.metric_names import metric_name

if TYPE_CHECKING:
    from medssl_bench.results.cells import Cell
    from medssl_bench.results.tables import Panel, TableResult

_WORDS = ("better", "better, but within the margin", "no difference that matters", "cannot tell",
          "worse, but within the margin", "worse")  # fmt: skip
_NAMED = 6
"""Arms that are named with a word, at most."""


def answers(table: TableResult) -> list[str]:
    """Return what a comparison says of its arms by its first metric, the largest difference first.

    A sentence for the fewest labels, and one for the most. On one data set, each arm has its difference to the baseline
    with the 95 % interval; on several, it has the number of data sets of which the same is said. A data set that is too
    small for a label budget does not count there. Floors, and columns that allow no words, are not spoken of; where no
    column allows any, one sentence says so. The last one says that runs were added, where they were.
    """
    if table.baseline is None:
        return ["No arm is the baseline of the others, so nothing is said of them; the table has their numbers."]
    panels = [panel for panel in table.panels if panel.metric == table.panels[0].metric]
    budgets = max((panel.budgets for panel in panels), key=len, default=[])
    ends = dict.fromkeys((*budgets[:1], *budgets[-1:]))
    found = [said for end in ends if (said := _said(table.baseline, panels, end))]
    return [*(found or [_nothing(table, panels)]), *([table.added] if table.added else [])]


def _said(baseline: str, panels: list[Panel], budget: str) -> str:
    """Return the sentence on one label budget; nothing where there are no words."""
    told = [[(arm, cell) for arm, cell in panel.column(budget).items() if cell.judged.told] for panel in panels]
    by_arm: dict[str, list[Cell]] = {}
    for arm, cell in (pair for cells in told for pair in cells):
        by_arm.setdefault(arm, []).append(cell)
    if not by_arm:
        return ""
    sets = sum(map(bool, told))
    parts = []
    for word in _WORDS:
        having = {arm: [cell for cell in cells if cell.judged.told == word] for arm, cells in by_arm.items()}
        named = sorted((arm for arm, cells in having.items() if cells), key=lambda arm: -_size(having[arm]))
        texts = [_arm(arm, having[arm], alone=sets == 1) for arm in named[:_NAMED]]
        texts += [f"{len(named) - _NAMED} other arms"] if len(named) > _NAMED else []
        parts += [f"{word}: {', '.join(texts)}"] if texts else []
    where = [f"{sets} data sets"] if sets > 1 else [panel.dataset for panel in panels if panel.column(budget)][:1]
    by = ", ".join([metric_name(panels[0].metric), *(where if len(panels) > 1 else [])])
    return f"With {budget} labels, compared with “{baseline}” ({by}): {'; '.join(parts)}."


def _size(cells: list[Cell]) -> float:
    """Return the mean size of the differences of these cells."""
    return sum(abs(cell.difference or 0.0) for cell in cells) / len(cells)


def _arm(arm: str, cells: list[Cell], *, alone: bool) -> str:
    if not alone:
        return f"“{arm}” on {len(cells)}"
    difference = cells[0].judged.difference
    assert difference is not None  # else there is no verdict
    low, high = difference.interval()
    return f"“{arm}” {signed(difference.mean)} [{signed(low)}, {signed(high)}]"


def _nothing(table: TableResult, panels: list[Panel]) -> str:
    """Return why no arm has a verdict."""
    cells = [cell for panel in panels for cell in panel.cells.values()]
    have, want = sum(cell.n for cell in cells), sum(cell.expected for cell in cells)
    if have < want:
        return f"There is no answer yet: {have} of {want} results are there."
    if any(cell.judged.difference is not None and "seed" in cell.judged.difference.fixed for cell in cells):
        return "One training seed cannot tell a difference from luck, so nothing is said of the arms."
    others = {arm for panel in panels for arm in panel.arms if arm not in panel.floors} - {table.baseline}
    if not others:
        return "There is no arm to compare with the baseline."
    return next((f"Nothing is said of the arms: {cell.judged.why}." for cell in cells if cell.judged.why), "")
