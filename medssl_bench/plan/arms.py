"""A plan by arm: how much each arm of each comparison asks for, each stage counted once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from medssl_bench.plan.stage import Plan
    from medssl_bench.plan.status import StageStatus, Status


@dataclass(frozen=True)
class ArmPlan:
    """What an arm of a comparison needs.

    Attributes:
        table: id of the comparison.
        arm: name of the arm.
        results: how many results it gives the tables; trials that differ in no random choice have one.
        stages: the stages that it needs and no arm before it does.
        shared: how many it needs that an arm before it needs too.
    """

    table: str
    arm: str
    results: int
    stages: tuple[StageStatus, ...] = field(default=(), repr=False)
    shared: int = 0

    @property
    def runs(self) -> list[StageStatus]:
        """Those of its own stages that a run would do."""
        return [status for status in self.stages if status.runs]

    def count(self, *statuses: Status) -> int:
        """Return how many of its own stages have one of some statuses."""
        return sum(status.status in statuses for status in self.stages)


def by_arm(plan: Plan, statuses: Sequence[StageStatus]) -> list[ArmPlan]:
    """Return what each arm needs, in the plan's order; together they have every stage once."""
    standing = {status.stage.key: status for status in statuses}
    results: dict[tuple[str, str], dict[str, None]] = {}
    needed: dict[tuple[str, str], dict[str, None]] = {}
    for trial in plan.trials:
        results.setdefault((trial.table, trial.arm), {})[trial.stage] = None
        needed.setdefault((trial.table, trial.arm), {})[trial.stage] = None
    for analysis in plan.analyses:
        needed.setdefault((analysis.table, analysis.arm), {})[analysis.stage] = None
    for retest in plan.retests:
        needed.setdefault((retest.trial.table, retest.trial.arm), {})[retest.stage] = None
    counted: set[str] = set()
    found = []
    for place, wanted in needed.items():
        keys = _with_parents(plan, wanted)
        own = tuple(standing[key] for key in plan.stages if key in keys - counted)
        found.append(ArmPlan(*place, len(results.get(place, ())), own, len(keys & counted)))
        counted |= keys
    return found


def _with_parents(plan: Plan, wanted: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(wanted)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting += plan.stages[key].parents
    return found
