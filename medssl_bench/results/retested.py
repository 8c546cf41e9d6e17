"""What the classifiers of finished trials measured on other images, by arm and label budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medssl_bench.results.pairing import contrast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from medssl_bench.plan.chance import Chance
    from medssl_bench.plan.stage import Plan, Trial
    from medssl_bench.results.cells import Cell, Results
    from medssl_bench.suite.table import Table

Place = tuple[str, str]
"""An arm and the text of a label budget."""


@dataclass(frozen=True)
class Pair:
    """What the same classifiers measured on the images of their data set, and on others.

    Attributes:
        here: on the test images of their data set.
        there: on the others.
    """

    here: Cell
    there: Cell

    @property
    def drop(self) -> float | None:
        """How much worse they are there, the mean of the paired differences; below 0: better; None: not known."""
        sign = 1 if self.here.higher_is_better else -1
        return contrast([(sign, self.here), (-sign, self.there)]).mean

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return {"here": self.here.to_data(), "there": self.there.to_data(), "drop": self.drop}


class Retested:
    """The stages of a plan in which classifiers predict other images."""

    def __init__(self, plan: Plan, what: str) -> None:
        self._by_cell: dict[tuple[str, str, str], dict[Place, dict[Chance, str]]] = {}
        self._trials: dict[tuple[str, str], dict[Place, dict[Chance, Trial]]] = {}
        for found in plan.retests:
            if found.what == what:
                trial = found.trial
                place = (trial.arm, trial.labels)
                cells = self._by_cell.setdefault((trial.table, trial.dataset, found.on), {})
                cells.setdefault(place, {})[trial.chance] = found.stage
                trials = self._trials.setdefault((trial.table, trial.dataset), {})
                trials.setdefault(place, {})[trial.chance] = trial

    def datasets(self, table: str) -> list[str]:
        """Return the data sets of a comparison that have such stages."""
        return [dataset for name, dataset in self._trials if name == table]

    def others(self, table: str, dataset: str) -> list[str]:
        """Return the corruptions, or the other data sets, of a data set."""
        return [on for name, where, on in self._by_cell if (name, where) == (table, dataset)]

    def trials(self, table: str, dataset: str) -> dict[Place, dict[Chance, Trial]]:
        """Return the trials by arm, label budget, and chance."""
        return self._trials[table, dataset]

    def stages(self, table: str, dataset: str, on: str) -> dict[Place, dict[Chance, str]]:
        """Return the stages by arm, label budget, and chance of the trial."""
        return self._by_cell[table, dataset, on]


def budgets_of(table: Table, places: Iterable[Place]) -> list[str]:
    """Return the label budgets that some cells have, in the order of the comparison."""
    known = {labels for _, labels in places}
    return [budget.text for budget in table.labels if budget.text in known]


def arms_of(table: Table, places: Iterable[Place]) -> list[str]:
    """Return the arms that some cells have, in the order of the comparison."""
    known = {arm for arm, _ in places}
    return [arm.name for arm in table.arms if arm.name in known]


def left_out(table: Table, plan: Plan, arms: Iterable[str]) -> list[str]:
    """Return a line on the arms of a comparison that are run and cannot predict other images; nothing where all can."""
    run = {trial.arm for trial in plan.trials if trial.table == table.id} - set(arms)
    names = [repr(arm.name) for arm in table.arms if arm.name in run]
    if not names:
        return []
    keep = "keeps" if len(names) == 1 else "keep"
    return [f"{', '.join(names)} {keep} no linear layer on top of an encoder, and so no classifier for other images."]


def baseline_of(table: Table, arms: Iterable[str]) -> str | None:
    """Return the baseline of a comparison, where it is among some arms."""
    return table.model.baseline if table.model.baseline in set(arms) else None


def failures(results: Results, stages: Iterable[str]) -> Iterator[str]:
    """Yield a line for each reason for which some stages have failed."""
    reasons: dict[str, int] = {}
    for stage in dict.fromkeys(stages):
        if results.state(stage) == "failed":
            reason = results.reason(stage)
            reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in reasons.items():
        yield f"{count} {'stage' if count == 1 else 'stages'} failed: {reason}."
