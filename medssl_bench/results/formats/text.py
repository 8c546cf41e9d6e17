"""How numbers, titles and notes are written, in every form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.results.choice_notes import choice_notes
from medssl_bench.results.flags import flag_notes
from medssl_bench.results.formats.judged_text import judged_notes
from medssl_bench.results.health_notes import health_notes
from medssl_bench.results.metric_names import metric_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from medssl_bench.results.cells import Cell
    from medssl_bench.results.printed import PrintedCell
    from medssl_bench.results.ranking import Ranking
    from medssl_bench.results.tables import TableResult


def plain(value: float) -> str:
    """Return a number: ``0.153``, ``−0.002``."""
    return f"{round(value, 3) + 0.0:.3f}".replace("-", "−")  # adding 0.0 makes -0.0 a 0.0


def signed(value: float) -> str:
    """Return a difference with its sign: ``+0.153``, ``−0.002``."""
    text = plain(value)
    return text if text.startswith("−") else f"+{text}"


def points(value: float) -> str:
    """Return a difference of accuracies in points of a hundred, with its sign: ``+15.3 %``."""
    return f"{round(100 * value, 1) + 0.0:+.1f} %".replace("-", "−")


def missing(cell: Cell | PrintedCell) -> str:
    """Return what is not there of a cell: ``(2 of 3)``, ``(2 of 9, 1 failed, 3 blocked)``, or nothing."""
    if cell.n >= cell.expected:
        return ""
    parts = [f"{cell.n} of {cell.expected}", *(f"{number} {word}" for word, number in _lost(cell) if number)]
    return f"({', '.join(parts)})"


def nothing(cell: Cell | PrintedCell) -> str:
    """Return the text in place of a missing number: ``failed``, ``blocked``, or a dash while it is not computed."""
    return next((word for word, number in _lost(cell) if number), "–")


def _lost(cell: Cell | PrintedCell) -> list[tuple[str, int]]:
    return [("failed", cell.failed), ("blocked", cell.blocked)]


def heading(title: str, marks: list[str] | tuple[str, ...]) -> str:
    """Return a title with its marks."""
    return " — ".join([title, *marks])


def notes(table: TableResult) -> list[str]:
    """Return what stands under a table."""
    cells = table.cells()
    with_interval = [cell for cell in cells if cell.judged.own is not None]
    others = [cell for cell in cells if cell.judged.own is None]
    found = [*judged_notes(table), *spread_note(others, of=_whose(others) if with_interval else "")]
    found += [table.added] if table.added else []
    found += bold_notes(
        panel.cells[arm, budget] for panel in table.panels for budget in panel.budgets for arm in panel.best(budget)
    )
    if lower := list(dict.fromkeys(metric_name(cell.metric) for cell in cells if not cell.higher_is_better)):
        found.append(f"Lower is better: {', '.join(lower)}; there, the lowest mean counts as the highest.")
    found += [*_fitted(cells), *problem_notes(cells)]
    if table.citation and any(cell.reference is not None for cell in cells):
        found.append(f"ref: published value (and the difference to it), {table.citation}.")
    return found + choice_notes(cells) + flag_notes(cells) + flag_notes(table.analysed()) + health_notes(table)


def _fitted(cells: Iterable[Cell]) -> list[str]:
    """Return a line that says what validation images decide, and whether they have chosen the epoch too."""
    fitted = [cell for cell in cells if cell.fitted and cell.n]
    if not fitted:
        return []
    line = (
        f"Decided by the labelled validation images: {', '.join(dict.fromkeys(metric_name(c.metric) for c in fitted))}"
    )
    again = any(cell.selection.by == "validation" for cell in fitted)
    return [f"{line}{'; the same images have selected the epochs' if again else ''}."]


def problem_notes(cells: Iterable[Cell]) -> list[str]:
    """Return a line for metrics that could not be measured of some finished results, and why: one for each reason."""
    by_metric: dict[str, dict[str, str]] = {}
    for cell in cells:
        by_metric.setdefault(cell.metric, {}).update(cell.problems)
    names: dict[tuple[str, int], list[str]] = {}
    for metric, problems in by_metric.items():
        for reason in dict.fromkeys(problems.values()):
            names.setdefault((reason, list(problems.values()).count(reason)), []).append(metric_name(metric))
    lines = []
    for (reason, count), metrics in names.items():
        results = "1 finished result" if count == 1 else f"{count} finished results"
        lines.append(f"{', '.join(metrics)} {'are' if len(metrics) > 1 else 'is'} missing for {results}: {reason}.")
    return lines


_BOLD = {
    True: (
        "the highest mean of a data set and label budget, and every one that is not told apart from it (p of 0.05 or "
        "more after Holm's adjustment)."
    ),
    False: (
        "the highest mean of a column, of two values or more, where the arm is ahead of every other for every seed and "
        "draw. That is no test of a difference."
    ),
}
"""What bold means, by whether there are verdicts."""


def bold_notes(cells: Iterable[Cell | None]) -> list[str]:
    """Return what bold means, a line for each rule by which one of these cells is bold.

    Args:
        cells: those that are printed in bold.
    """
    metrics: dict[bool, dict[str, None]] = {}
    for cell in cells:
        if cell is not None:
            metrics.setdefault(cell.judged.among_best is not None, {})[metric_name(cell.metric)] = None
    of = {rule: f" of {', '.join(names)}" if len(metrics) > 1 else "" for rule, names in metrics.items()}
    return [f"Bold{of[rule]}: {text}" for rule, text in _BOLD.items() if rule in metrics]


_AXES = {"seed": "training seeds", "draw": "label draws", "fold": "folds"}
"""The kinds of chance that values differ by, and what they are called."""

_NUMBERS = {2: "two", 3: "three"}


def _whose(cells: Iterable[Cell]) -> str:
    """Return which numbers of a table have a standard deviation in place of an interval."""
    names = dict.fromkeys(metric_name(cell.metric) if cell.is_whole else "unfinished numbers" for cell in cells)
    return f" of {', '.join(names)}"


def spread_note(cells: Iterable[Cell], of: str = "") -> list[str]:
    """Return what the standard deviations of some cells are over, as a line; nothing where there is none.

    Cells may differ: all labels have no draws, a majority class has one value.

    Args:
        cells: the cells.
        of: whose ± it is, as in `` of AUROC``; nothing where every ± of the table is one.
    """
    shapes = sorted({(_counts(cell), cell.n) for cell in cells if cell.std is not None})
    if not shapes:
        return []
    written = [f"{_crossed(counts)} (n = {n})" for counts, n in reversed(shapes)]
    several = [[f"{axis}s" for axis, count in zip(_AXES, counts, strict=True) if count > 1] for counts, _ in shapes]
    mixed = list(dict.fromkeys(name for names in several if len(names) > 1 for name in names))
    both = ""
    if mixed:
        names = f"{', '.join(mixed[:-1])} and {mixed[-1]}"
        both = f"; {names} are {_NUMBERS[len(mixed)]} kinds of chance, and it mixes them"
    found = [f"±{of}: sample standard deviation over {', or '.join(written)}{both}."]
    if any("folds" in names for names in several):
        found.append("Folds share most of their training images, so ± over folds is no error of the mean.")
    return found


def repetitions(cell: Cell) -> str:
    """Return how many values a cell has, and of what: ``9 (3 training seeds x 3 label draws)``; none yet: ``0``."""
    crossed = _crossed(_counts(cell))
    return f"{cell.n} ({crossed})" if crossed else str(cell.n)


def _counts(cell: Cell) -> tuple[int, ...]:
    """Return how many training seeds, label draws and folds the values of a cell are of."""
    return tuple(len({getattr(value, axis) for value in cell.values}) for axis in _AXES)


def _crossed(counts: tuple[int, ...]) -> str:
    """Return the axes with more than one number: ``3 training seeds x 3 label draws``."""
    return " x ".join(f"{count} {name}" for count, name in zip(counts, _AXES.values(), strict=True) if count > 1)


def ranking_title(ranking: Ranking) -> str:
    """Return the heading of a ranking."""
    tables = " and ".join(f"“{title}”" for title in ranking.tables)
    return heading(f"Ranking by {metric_name(ranking.metric)}: {tables}", ranking.marks)


def ranking_note(ranking: Ranking) -> str:
    """Return how the ranks of a ranking come about, and over what."""
    budgets = dict.fromkeys(ranking.budgets.values())
    same = f" ({', '.join(next(iter(budgets)))})" if len(budgets) == 1 else ""
    sets = ", ".join(ranking.budgets)
    return (
        f"Mean rank: ranks are averaged over the label budgets of a data set{same}, then over data sets ({sets}). "
        "Budgets are nested and share their test images, so a data set counts once. Worst: the highest rank of an arm "
        "in any column, which is a label budget of a data set. Best in: data sets on which no arm has a lower "
        f"rank. {_rank_chance(ranking)}A rank says nothing of how large a difference is."
    )


def not_varied(axes: Collection[str]) -> str:
    """Return what an interval lacks, as a part of a sentence: ``; one label draw was run, so others may differ more``.

    Args:
        axes: kinds of chance of which there was one: ``seed``, ``draw``.
    """
    alone = " and ".join(f"one {_AXES[axis].removesuffix('s')}" for axis in axes)
    return f"; {alone} {'was' if len(axes) == 1 else 'were'} run, so others may differ more" if axes else ""


def _rank_chance(ranking: Ranking) -> str:
    if all(rank.first is None for rank in ranking.ranks):
        return "Ranks have no interval here, so they may be chance. "
    text = "95 %, is first: of mean ranks if other seeds, draws and test images had been drawn (1,000 times)"
    text += not_varied(ranking.left_out)
    outside = any(
        rank.low is not None and rank.high is not None and not rank.low <= rank.mean_rank <= rank.high
        for rank in ranking.ranks
    )
    return f"{text}. {'Ranks of resamples lie closer together, so a mean may lie outside. ' if outside else ''}"


def safe_choice(ranking: Ranking) -> list[str]:
    """Return a sentence that names the arm whose worst rank is the best; nothing where there is one column alone."""
    if not ranking.safest:
        return []
    first = ranking.safest[0]
    arms = " and ".join(f"“{rank.arm}”" for rank in ranking.safest)
    alike = sum(rank.worst_rank == first.worst_rank for rank in ranking.ranks)
    told = f"its rank is never above {first.worst_rank:g}" if len(ranking.safest) == 1 else ""
    told = told or f"their ranks are never above {first.worst_rank:g}"
    if alike > len(ranking.safest):
        told += f" (so for {alike} arms; of these the mean rank decides)"
    return [f"Safe choice over {ranking.columns} columns: {arms}; {told}."]
