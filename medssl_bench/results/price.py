"""What pretrainings gain, and what they cost: the price of each arm of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from statistics import mean
from typing import TYPE_CHECKING, Any

from medssl_bench.results.pairing import contrast
from medssl_bench.suite.initial_weights import starts_from_weights, without_weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from medssl_bench.plan.stage import Plan
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.results.cells import Results
    from medssl_bench.results.tables import Panel, TableResult
    from medssl_bench.store.record import Record
    from medssl_bench.suite.table import Arm

LEAST = 3
"""Arms with pretrainings below which there is nothing to choose from."""


@dataclass(frozen=True)
class Deal:
    """What one arm gains on one data set, and what that costs.

    Attributes:
        gain: mean of the paired differences to the arm without a pretraining, turned so that a higher one is better.
        seconds: measured processor seconds of what made one encoder, the mean over seeds and folds.
    """

    gain: float
    seconds: float


@dataclass(frozen=True)
class PricedArm:
    """A point: the means over the data sets.

    Attributes:
        arm: its name.
        deals: by data set.
        is_worth_it: whether no arm that costs as much or less is better, and neither is no pretraining at all: it is on
            the Pareto line.
    """

    arm: str
    deals: dict[str, Deal]
    is_worth_it: bool = False

    @property
    def gain(self) -> float:
        """Mean over the data sets."""
        return mean(deal.gain for deal in self.deals.values())

    @property
    def seconds(self) -> float:
        """Likewise."""
        return mean(deal.seconds for deal in self.deals.values())

    def to_data(self) -> dict[str, Any]:
        """Return the point as JSON-able data."""
        return {
            "arm": self.arm,
            "processor_seconds": self.seconds,
            "gain": self.gain,
            "pareto": self.is_worth_it,
            "datasets": {
                name: {"processor_seconds": deal.seconds, "gain": deal.gain} for name, deal in self.deals.items()
            },
        }


@dataclass(frozen=True)
class Price:
    """The arms of a comparison that have a pretraining, by one metric and at one label budget.

    Attributes:
        comparison: id of the comparison.
        metric: name of the metric.
        labels: text of the label budget.
        over: the arm that gains are over: without a pretraining, with the same evaluator and encoder.
        higher_is_better: whether a higher value of the metric is better; a gain is the better the higher in any case.
        datasets: the data sets that means are over: those on which each of the arms has all its numbers.
        arms: by ascending cost.
        missing: the arms that would be here, and have all their numbers on no data set.
        devices: where the pretrainings were measured.
        machines: how many machines that were, as far as records name them.
    """

    comparison: str
    metric: str
    labels: str
    over: str
    higher_is_better: bool
    datasets: tuple[str, ...]
    arms: tuple[PricedArm, ...]
    missing: tuple[str, ...]
    devices: tuple[str, ...]
    machines: int

    def to_data(self) -> dict[str, Any]:
        """Return the price as JSON-able data."""
        return {
            "comparison": self.comparison,
            "metric": self.metric,
            "labels": self.labels,
            "over": self.over,
            "higher_is_better": self.higher_is_better,
            "datasets": list(self.datasets),
            "arms": [arm.to_data() for arm in self.arms],
            "missing": list(self.missing),
            "devices": list(self.devices),
            "machines": self.machines,
        }


def prices_of(table: TableResult, plan: Plan, results: Results, registry: Registry) -> list[Price]:
    """Return what the arms of a comparison gain and cost: by metric, by the arm that gains are over, by label budget.

    Nothing is there of fewer than three arms with pretrainings.

    Args:
        table: the comparison.
        plan: its plan.
        results: finished results.
        registry: where encoders come from.
    """
    by_reference: dict[str, list[str]] = {}
    for arm in table.arms:
        if arm.chain and (over := unpretrained(arm, table, registry)):
            by_reference.setdefault(over, []).append(arm.name)
    tried = {trial.stage: trial.tried for trial in plan.trials if trial.table == table.id and trial.tried}
    bill = _Bill(plan, results, tried)
    found = []
    for metric in dict.fromkeys(panel.metric for panel in table.panels):
        panels = [panel for panel in table.panels if panel.metric == metric]
        budgets = dict.fromkeys(labels for panel in panels for labels in panel.budgets)
        for over, arms in by_reference.items():
            for labels in budgets:
                price = _price(table.id, panels, over, arms, labels, bill)
                found += [price] if price else []
    return found


def unpretrained(arm: Arm, table: TableResult, registry: Registry) -> str | None:
    """Return the arm without a pretraining that has the same evaluator, and the same encoder with random weights.

    A floor goes before the baseline, and that before others; None where there is none.
    """
    plain = without_weights(arm.encoder, registry)
    accepted = [plain] if starts_from_weights(arm.encoder) else [plain, arm.encoder]
    alike = [
        other
        for other in table.arms
        if not other.chain and other.evaluator == arm.evaluator and other.encoder in accepted
    ]
    alike.sort(key=lambda other: (not other.floor, other.name != table.baseline))
    return alike[0].name if alike else None


def pareto(points: Iterable[tuple[float, float]]) -> list[bool]:
    """Return which of some points, each a cost and a gain, have a gain and no point as cheap or cheaper that is better.

    Of points that cost the same and gain the same, each counts.
    """
    every = list(points)
    return [
        gain > 0 and not any(c <= cost and g >= gain and (c, g) != (cost, gain) for c, g in every)
        for cost, gain in every
    ]


def machines_of(records: Iterable[Record]) -> int:
    """Return how many machines records name; those that name none, as exported ones, count by their device."""
    return len({record.provenance.get("host") or record.provenance.get("device") for record in records})


def _price(comparison: str, panels: list[Panel], over: str, arms: list[str], labels: str, bill: _Bill) -> Price | None:
    deals: dict[str, dict[str, Deal]] = {arm: {} for arm in arms}
    for panel in panels:
        for arm in arms:
            if deal := _deal(panel, arm, over, labels, bill):
                deals[arm][panel.dataset] = deal
    there = {arm: found for arm, found in deals.items() if found}
    shared = [panel.dataset for panel in panels if all(panel.dataset in found for found in there.values())]
    if len(there) < LEAST or not shared:
        return None
    points = [PricedArm(arm, {dataset: found[dataset] for dataset in shared}) for arm, found in there.items()]
    worth = pareto((point.seconds, point.gain) for point in points)
    priced = [PricedArm(point.arm, point.deals, flag) for point, flag in zip(points, worth, strict=True)]
    records = bill.records(panels, [point.arm for point in points], shared, labels)
    return Price(
        comparison,
        panels[0].metric,
        labels,
        over,
        all(panel.higher_is_better for panel in panels),
        tuple(shared),
        tuple(sorted(priced, key=lambda point: (point.seconds, point.arm))),
        tuple(arm for arm in arms if arm not in there),
        tuple(sorted({device for record in records for device in _devices(record)})),
        machines_of(records),
    )


def _deal(panel: Panel, arm: str, over: str, labels: str, bill: _Bill) -> Deal | None:
    """Return what an arm gains and costs, or None while a number of it is missing."""
    cell, plain = panel.cells.get((arm, labels)), panel.cells.get((over, labels))
    if cell is None or plain is None or not cell.is_whole or not plain.is_whole:
        return None
    gain = contrast([(1, cell), (-1, plain)]).mean
    seconds = bill.seconds(cell.stages.values())
    if gain is None or seconds is None:
        return None
    return Deal(gain if cell.higher_is_better else -gain, seconds)


class _Bill:
    """What made the encoders of evaluations: pretrainings and, where a method has a teacher, the teacher's training.

    Where an evaluation was chosen of several variants, what made those is paid, too: `tried` has them.
    """

    def __init__(self, plan: Plan, results: Results, tried: Mapping[str, tuple[str, ...]]) -> None:
        self._tried = tried
        self._plan = plan
        self._results = results
        self._before: dict[str, frozenset[str]] = {}

    def seconds(self, evaluations: Iterable[str]) -> float | None:
        """Return the mean of the processor seconds of one encoder; None where one was not measured."""
        costs = [self._cost(before) for before in {self._all_before(key) for key in evaluations}]
        known = [cost for cost in costs if cost is not None]
        return mean(known) if known and len(known) == len(costs) else None

    def records(self, panels: list[Panel], arms: list[str], datasets: list[str], labels: str) -> list[Record]:
        """Return the records of what made the encoders of some arms on some data sets, each once."""
        cells = [panel.cells[arm, labels] for panel in panels if panel.dataset in datasets for arm in arms]
        keys = {key for cell in cells for stage in cell.stages.values() for key in self._all_before(stage)}
        return [record for key in sorted(keys) if (record := self._results.record(key))]

    def _all_before(self, key: str) -> frozenset[str]:
        """Return the stages that an evaluation builds on, and those of what was tried in its place."""
        return frozenset().union(*(self.before(each) for each in self._tried.get(key, (key,))))

    def before(self, key: str) -> frozenset[str]:
        """Return the stages that a stage builds on, directly or not, without those that only compute features."""
        if key not in self._before:
            found: set[str] = set()
            for parent in self._plan.stages[key].parents:
                own = set() if self._plan.stages[parent].kind == "embed" else {parent}
                found |= self.before(parent) | own
            self._before[key] = frozenset(found)
        return self._before[key]

    def _cost(self, keys: frozenset[str]) -> float | None:
        records = [self._results.record(key) for key in keys]
        seconds = [float(record.cost.get("processor_seconds") or 0.0) if record else 0.0 for record in records]
        return fsum(seconds) if seconds and all(seconds) else None


def _devices(record: Record) -> set[str]:
    earlier = record.provenance.get("earlier") or []
    return {str(found.get("device", "unknown")) for found in (record.provenance, *earlier)}
