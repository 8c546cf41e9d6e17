"""What a run says of published claims: the estimate of each contrast, its interval, and whether the claim holds.

A contrast is computed for each training seed and label draw that its cells share (`results.pairing`). Its interval is
for other seeds, draws and test images (`results.intervals`). A claim holds if each of its contrasts is shown to be on
its side of the margin, and does not hold if one is shown to be on the other side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from medssl_bench.compare.averages import Average, average
from medssl_bench.compare.contrasts import Contrast, Side
from medssl_bench.results.pairing import contrast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.plugin.registry import Registry
    from medssl_bench.published.claims import Claim, Claims, Condition, Term
    from medssl_bench.published.reference import Reference
    from medssl_bench.results.cells import Cell
    from medssl_bench.results.leaderboard import Leaderboard
    from medssl_bench.results.tables import TableResult
    from medssl_bench.statistics.interval import Estimate

Told = Literal["holds", "does not hold", "cannot tell"]


@dataclass(frozen=True)
class Verdict:
    """What a run says of a claim.

    Attributes:
        claim: the claim.
        contrasts: of each of its conditions, on each data set at each label budget.
        averages: of the contrasts of each data set, where they have one direction and margin; else none.
    """

    claim: Claim
    contrasts: tuple[Contrast, ...]
    averages: tuple[Average, ...] = ()

    @property
    def whole(self) -> list[Contrast]:
        """The contrasts all of whose values are there."""
        return [contrast for contrast in self.contrasts if not contrast.why]

    @property
    def word(self) -> Told:
        """Whether the claim holds: each contrast is shown, or one is refuted, which is enough; or neither."""
        if all(contrast.is_shown for contrast in self.contrasts):
            return "holds"
        refuted = any(contrast.is_refuted(len(self.contrasts)) for contrast in self.contrasts)
        return "does not hold" if refuted else "cannot tell"

    @property
    def word_on_average(self) -> Told | None:
        """Whether the mean of its contrasts is as claimed, on each data set; None where that was not asked.

        That says less than the claim, which is of every contrast, and a few runs can show it.
        """
        if len(self.contrasts) == len(self.averages) or not self.averages or any(c.not_judged for c in self.contrasts):
            return None
        if all(each.is_shown for each in self.averages):
            return "holds"
        refuted = any(each.is_refuted(len(self.averages)) for each in self.averages)
        return "does not hold" if refuted else "cannot tell"

    @property
    def seen(self) -> float | None:
        """How far on its side of the margin a contrast must be to be shown: half of an interval's width, on average."""
        halves = [contrast.judged.half() for contrast in self.contrasts if contrast.judged is not None]
        return sum(halves) / len(halves) if halves else None

    @property
    def told(self) -> str:
        """What is said of it: whether it holds, why that cannot be told, and where the estimates point."""
        reasons = [contrast.not_judged for contrast in self.contrasts if contrast.not_judged]
        if not self.whole:
            return max(dict.fromkeys(reasons), key=reasons.count)
        why = f" ({max(dict.fromkeys(reasons), key=reasons.count)})" if reasons and self.word == "cannot tell" else ""
        text = f"{self.word}{why}; {self.points}"
        if self.word_on_average is not None:
            text += f"; on average {self.word_on_average} ({', '.join(map(str, self.averages))})"
        if self.word == "cannot tell" and self.seen is not None:
            text += f"; a contrast is shown if it is on its side of the margin by about {self.seen:.3f}"
        return text

    def told_of(self, contrast: Contrast) -> str:
        """Return what is said of one of its contrasts."""
        if contrast.not_judged:
            return contrast.not_judged
        if contrast.is_shown:
            return "shown"
        return "refuted" if contrast.is_refuted(len(self.contrasts)) else "cannot tell"

    @property
    def points(self) -> str:
        """Where the point estimates are: ``2 of 3 point estimates in favour, 1 not there``."""
        favour = sum(contrast.side == "in favour" for contrast in self.whole)
        missing = len(self.contrasts) - len(self.whole)
        text = f"{favour} of {len(self.whole)} point estimates in favour"
        return f"{text}, {missing} not there" if missing else text

    @property
    def published_points(self) -> tuple[int, int]:
        """How many of the published contrasts point the claim's way, and how many there are."""
        found = [contrast.published_side for contrast in self.contrasts if contrast.published_side is not None]
        return found.count("in favour"), len(found)

    @property
    def marks(self) -> list[str]:
        """What a reader must know of the tables that its numbers are of."""
        return list(dict.fromkeys(mark for contrast in self.contrasts for mark in contrast.marks))


def judge(claims: Claims, board: Leaderboard, registry: Registry) -> list[Verdict]:
    """Return what a run says of each claim.

    Args:
        claims: what is claimed.
        board: the run.
        registry: where the published numbers come from.

    Raises:
        UserError: the reference that the claims name is not there.
    """
    judging = _Judging(claims, board, _references(claims, registry))
    return [judging.verdict(claim) for claim in claims.claim]


def _references(claims: Claims, registry: Registry) -> dict[str, Reference]:
    from medssl_bench.errors import UserError
    from medssl_bench.results.published_values import find_reference

    tables = {term.table for claim in claims.claim for condition in claim.condition for _, term in condition.terms("")}
    found = {}
    for table in sorted(tables):
        try:
            found[table] = find_reference(claims.reference, table, registry)
        except UserError:  # a comparison of the suite that was never published
            continue
    return found


class _Judging:
    def __init__(self, claims: Claims, board: Leaderboard, references: dict[str, Reference]) -> None:
        self._claims = claims
        self._board = board
        self._references = references
        self._cells: dict[tuple[str, str, str, str, str], Cell] = {}
        self._tables: dict[str, TableResult] = {}
        self._labels: dict[str, str] = {}
        for table in board.tables:
            for name in {table.id, table.reference} - {""}:
                self._tables.setdefault(name, table)
            self._labels.update({name: label for label, name in table.published.items()})
            for cell in (*table.cells(), *table.analysed()):
                for name in {table.id, table.reference} - {""}:
                    self._cells.setdefault((name, cell.dataset, cell.arm, cell.labels, cell.metric), cell)

    def verdict(self, claim: Claim) -> Verdict:
        wanted = [
            (condition, dataset, labels)
            for condition in claim.condition
            for dataset in condition.datasets
            for labels in condition.labels
        ]
        contrasts = tuple(self._contrast(*each) for each in wanted)
        if any(each.not_judged for each in contrasts):
            return Verdict(claim, contrasts)
        of_datasets: dict[str, list[tuple[Condition, list[tuple[int, Cell]]]]] = {}
        for condition, dataset, labels in wanted:
            terms = self._present(condition, dataset, labels)
            of_datasets.setdefault(dataset, []).append((condition, terms))
        averages = [average(dataset, parts, self._interval) for dataset, parts in of_datasets.items()]
        return Verdict(claim, contrasts, tuple(each for each in averages if each) if all(averages) else ())

    def _label(self, dataset: str) -> str:
        return self._labels.get(dataset) or self._claims.dataset_labels.get(dataset, dataset)

    def _present(self, condition: Condition, dataset: str, labels: str) -> list[tuple[int, Cell]]:
        """Return the cells of a contrast that are in the run, each with its sign."""
        label = self._label(dataset)
        cells = [(sign, self._cell(term, label, condition.metric)) for sign, term in condition.terms(labels)]
        return [(sign, cell) for sign, cell in cells if cell is not None]

    def _contrast(self, condition: Condition, dataset: str, labels: str) -> Contrast:
        terms = condition.terms(labels)
        label = self._label(dataset)
        present = self._present(condition, dataset, labels)
        found = contrast(present) if len(present) == len(terms) else None
        published = self._published(terms, dataset, condition.metric)
        tables = [self._tables[term.table] for _, term in terms if term.table in self._tables] if present else []
        return Contrast(
            dataset=dataset,
            label=label if present else "",
            stands_in=bool(present) and self._labels.get(dataset) != label,
            labels=labels,
            text=_words(terms, condition),
            found=found,
            side=None if found is None or found.mean is None else _side(found.mean, condition),
            marks=tuple(dict.fromkeys(mark for table in tables for mark in table.marks)),
            published=published,
            published_side=None if published is None else _side(published, condition),
            condition=condition,
            interval=self._interval(present) if found is not None else "not in this run",
        )

    def _interval(self, terms: Sequence[tuple[float, Cell]]) -> Estimate | str:
        return self._board.intervals.of(terms) if self._board.intervals else "there is no store"

    def _cell(self, term: Term, label: str, metric: str) -> Cell | None:
        return self._cells.get((term.table, label, term.arm, term.labels, metric))

    def _published(self, terms: list[tuple[int, Term]], dataset: str, metric: str) -> float | None:
        total = 0.0
        for sign, term in terms:
            cells = self._references[term.table].cells if term.table in self._references else ()
            wanted = (dataset, term.arm, term.labels, metric)
            found = [cell.value for cell in cells if (cell.dataset, cell.arm, cell.labels, cell.metric) == wanted]
            if not found:
                return None
            total += sign * found[0]
        return total


def _side(value: float, condition: Condition) -> Side:
    """Return on which side of a condition's margin a number is."""
    match condition.direction:
        case "above":
            true = value > condition.margin
        case "below":
            true = value < condition.margin
        case "within":
            true = abs(value) < condition.margin
    return "in favour" if true else "against"


def _words(terms: list[tuple[int, Term]], condition: Condition) -> str:
    """Return a contrast in words: ``frozen (100) − supervised (100) > 0``."""
    labels = {term.labels for _, term in terms}
    tables = {term.table for _, term in terms}
    parts = []
    for place, (sign, term) in enumerate(terms):
        name = term.arm
        name += f" of {term.table}" if len(tables) > 1 else ""
        name += f" at {term.labels}" if len(labels) > 1 else ""
        parts.append(f"{'− ' if sign < 0 else '+ ' if place else ''}[{name}]")
    mark = {"above": ">", "below": "<", "within": "within ±"}[condition.direction]
    return f"{' '.join(parts)} {mark} {condition.margin:g}"
