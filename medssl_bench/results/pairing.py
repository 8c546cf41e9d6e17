"""Contrasts of cells: the same seed, draw and fold of each, put together. All differences are made here alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.results.cells import Cell
from medssl_bench.results.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def contrast(terms: Sequence[tuple[int, Cell]]) -> Cell:
    """Return the sum of some cells minus that of others, seed by seed, draw by draw and fold by fold, as a cell.

    A stage that stands under several seeds or draws (a majority class, a probe of all labels) is paired with each of
    theirs; the same stages are paired once. So frozen minus majority class with three seeds and three draws has nine
    values, and two arms that both have all labels have three.

    Args:
        terms: one cell or more, each with its sign, 1 or -1.
    """
    cells = [cell for _, cell in terms]
    first = cells[0]
    measured = [{cell.stages[value.chance]: value.value for value in cell.values} for cell in cells]
    shared = [place for place in first.stages if all(place in cell.stages for cell in cells)]
    found = Cell(
        first.comparison,
        first.dataset,
        first.labels,
        " ".join(f"{'−' if sign < 0 else '+'} {cell.arm}" for sign, cell in terms).removeprefix("+ "),
        first.metric,
        higher_is_better=first.higher_is_better,
        scaled=first.scaled,
        generated=any(cell.generated for cell in cells),
    )
    seen: set[str] = set()
    for place in shared:
        stages = [cell.stages[place] for cell in cells]
        key = found.stages[place] = " ".join(stages)
        if key in seen:
            continue
        seen.add(key)
        found.expected += 1
        if all(stage in values for stage, values in zip(stages, measured, strict=True)):
            parts = zip(terms, stages, measured, strict=True)
            total = sum(sign * values[stage] for (sign, _), stage, values in parts)
            found.values.append(Value(place.seed, place.draw, total, fold=place.fold))
        elif lost := {cell.lost[stage] for stage, cell in zip(stages, cells, strict=True) if stage in cell.lost}:
            found.lost[key] = "failed" if "failed" in lost else "blocked"
    return found


def among_best(cells: Mapping[str, Cell]) -> set[str]:
    """Return the arms of a column, or of a part of one, that are not told apart from the best arm of the whole column.

    Where there are no verdicts, it is the one by the rule of `leader`, or none.

    Args:
        cells: of a column, by arm.
    """
    judged = {arm: cell.judged.among_best for arm, cell in cells.items() if cell.judged.among_best is not None}
    if judged:
        return {arm for arm, is_best in judged.items() if is_best}
    first = leader(cells)
    return set() if first is None else {first}


def compare(cells: Mapping[tuple[str, str], Cell], baseline: str | None) -> None:
    """Give the cells of a panel, by arm and label budget, their differences to the baseline of their column."""
    for (_, labels), cell in cells.items():
        reference = cells.get((baseline or "", labels))
        if reference is not None and reference is not cell:
            paired = contrast([(1, cell), (-1, reference)])
            cell.difference, cell.pairs = paired.mean, paired.n


def leader(cells: Mapping[str, Cell]) -> str | None:
    """Return the arm of a column that is ahead of every other for every seed, draw and fold, or None.

    Its mean is the best as it is printed (the lowest, where lower is better), it has two values or more, and so has
    each of its paired differences, all in its favour. That describes the numbers that are there; it is no test of a
    difference. None also while a number is missing. An arm some of whose trials failed is not looked at: what is left
    of it may be its lucky half.

    Args:
        cells: of a column, by arm.
    """
    if any(cell.is_waiting for cell in cells.values()):
        return None
    known = {arm: cell for arm, cell in cells.items() if cell.printed is not None and not cell.lost}
    ordered = sorted(known, key=lambda arm: -(known[arm].score or 0.0))
    if len(ordered) < 2 or known[ordered[0]].n < 2:
        return None
    first, *others = ordered
    for other in others:
        sign = 1 if known[first].higher_is_better else -1
        pairs = contrast([(sign, known[first]), (-sign, known[other])])
        ahead = pairs.n > 1 and all(value.value > 0 for value in pairs.values)
        if not ahead or known[first].printed == known[other].printed:
            return None
    return first
