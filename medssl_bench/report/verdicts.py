"""Whether published claims hold in a run.

A contrast is computed for each training seed from that seed's mean over label draws: seeds are what is repeated, draws
within a seed are not independent of each other. With two seeds or more its 95 % interval (Student's t over seeds) is
held against the claim's margin: wholly on the right side, it holds; wholly on the other, it does not; else it cannot be
told. With one seed it cannot be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.plugin.registry import Registry
    from medssl_bench.report.cells import Cell
    from medssl_bench.report.claims import Claim, Claims, Condition, Term
    from medssl_bench.report.leaderboard import Leaderboard
    from medssl_bench.report.reference import Reference

Told = Literal["holds", "does not hold", "cannot be told"]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Contrast:
    """A condition of a claim on one data set at one label budget.

    Attributes:
        dataset: name of the data set as it was published.
        label: what the suite calls the data set, or an empty string where it is not in the run.
        stands_in: whether other data take the data set's place in the run.
        labels: text of the label budget.
        text: the contrast and what is said of it, in words.
        told: the verdict.
        why: why it cannot be told, or an empty string.
        estimate: mean over seeds, or None.
        interval: 95 % interval over seeds, or None.
        seeds: how many training seeds there are.
        published: the contrast of the published cells, or None.
        published_told: whether the published cells, one seed, bear it out; None where there are none.
    """

    dataset: str
    label: str
    stands_in: bool
    labels: str
    text: str
    told: Told
    why: str
    estimate: float | None
    interval: tuple[float, float] | None
    seeds: int
    published: float | None
    published_told: bool | None


@dataclass(frozen=True)
class Verdict:
    """What a run says of a claim."""

    claim: Claim
    told: Told
    contrasts: tuple[Contrast, ...]

    @property
    def borne_out(self) -> tuple[int, int]:
        """How many of the published contrasts point the claim's way, and how many there are."""
        found = [contrast.published_told for contrast in self.contrasts if contrast.published_told is not None]
        return sum(found), len(found)

    @property
    def why(self) -> str:
        """Why it cannot be told, in a few words."""
        reasons = [contrast.why for contrast in self.contrasts if contrast.why]
        return max(dict.fromkeys(reasons), key=reasons.count) if self.told == "cannot be told" and reasons else ""


def judge(claims: Claims, board: Leaderboard, registry: Registry) -> list[Verdict]:
    """Return a verdict on each claim.

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
    from medssl_bench.report.published import find_reference

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
        self._references = references
        self._cells: dict[tuple[str, str, str, str, str], Cell] = {}
        self._labels: dict[str, str] = {}
        for table in board.tables:
            self._labels.update({name: label for label, name in table.published.items()})
            for cell in (*table.cells(), *table.analysed()):
                for name in {table.id, table.reference} - {""}:
                    self._cells.setdefault((name, cell.dataset, cell.arm, cell.labels, cell.metric), cell)

    def verdict(self, claim: Claim) -> Verdict:
        contrasts = tuple(
            self._contrast(condition, dataset, labels)
            for condition in claim.condition
            for dataset in condition.datasets
            for labels in condition.labels
        )
        told = {contrast.told for contrast in contrasts}
        if "does not hold" in told:
            return Verdict(claim, "does not hold", contrasts)
        return Verdict(claim, "holds" if told == {"holds"} else "cannot be told", contrasts)

    def _contrast(self, condition: Condition, dataset: str, labels: str) -> Contrast:
        terms = condition.terms(labels)
        label = self._labels.get(dataset) or self._claims.dataset_labels.get(dataset, dataset)
        cells = [(sign, self._cell(term, label, condition.metric)) for sign, term in terms]
        present = [cell for _, cell in cells if cell is not None]
        seeds = _seeds(cells)
        told, why, interval = _told(seeds, condition)
        if len(present) < len(cells):
            why = "not in this run"
        elif any(cell.failed for cell in present):
            told, why, interval = "cannot be told", "some of its trials failed", None
        elif any(cell.n < cell.expected for cell in present):
            told, why, interval = "cannot be told", "not finished", None
        published = self._published(terms, dataset, condition.metric)
        return Contrast(
            dataset=dataset,
            label=label if present else "",
            stands_in=bool(present) and self._labels.get(dataset) != label,
            labels=labels,
            text=_words(terms, condition),
            told=told,
            why=why,
            estimate=mean(seeds.values()) if seeds else None,
            interval=interval,
            seeds=len(seeds),
            published=published,
            published_told=None if published is None else _on_its_side(published, condition),
        )

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


def _seeds(cells: list[tuple[int, Cell | None]]) -> dict[int, float]:
    """Return the contrast of each training seed that all cells have."""
    by_seed: list[tuple[int, dict[int, float]]] = []
    for sign, cell in cells:
        values: dict[int, list[float]] = {}
        for value in cell.values if cell else []:
            values.setdefault(value.seed, []).append(value.value)
        by_seed.append((sign, {seed: mean(found) for seed, found in values.items()}))
    shared = set.intersection(*(set(found) for _, found in by_seed))
    return {seed: sum(sign * found[seed] for sign, found in by_seed) for seed in sorted(shared)}


def _told(seeds: Mapping[int, float], condition: Condition) -> tuple[Told, str, tuple[float, float] | None]:
    if len(seeds) < 2:
        return "cannot be told", "one training seed" if seeds else "no results", None
    from scipy.stats import t

    values = list(seeds.values())
    half = float(t.ppf(0.5 + CONFIDENCE / 2, len(values) - 1)) * stdev(values) / sqrt(len(values))
    low, high = mean(values) - half, mean(values) + half
    margin = condition.margin
    match condition.direction:
        case "above":
            holds, fails = low > margin, high <= margin
        case "below":
            holds, fails = high < margin, low >= margin
        case "within":
            holds, fails = -margin < low and high < margin, low >= margin or high <= -margin
    told: Told = "holds" if holds else "does not hold" if fails else "cannot be told"
    return told, "" if told != "cannot be told" else "the interval spans the margin", (low, high)


def _on_its_side(value: float, condition: Condition) -> bool:
    match condition.direction:
        case "above":
            return value > condition.margin
        case "below":
            return value < condition.margin
        case "within":
            return abs(value) < condition.margin


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
