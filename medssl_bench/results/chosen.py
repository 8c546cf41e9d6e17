"""Puts one arm in the place of several variants: for each result the one that is best on the validation images."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from medssl_bench.errors import UserError
from medssl_bench.metrics.compute import compute
from medssl_bench.metrics.criterion import default_criterion, find_criterion
from medssl_bench.metrics.metric import Predictions
from medssl_bench.results.measured import Kept, kept_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.datasets import Task
    from medssl_bench.metrics import Metric
    from medssl_bench.plan.chance import Chance
    from medssl_bench.plan.stage import Plan, Trial
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.store.store import Store
    from medssl_bench.suite.suite import Suite
    from medssl_bench.suite.table import Arm, Table

_Place = tuple[str, str, "Chance"]
"""A data set, a label budget, and the chance of a trial."""


def with_chosen(suite: Suite, plan: Plan, store: Store) -> tuple[Suite, Plan]:
    """Return a suite and its plan as tables show them: arms in the place of variants, with the trials that were chosen.

    While a variant is missing, the trial is that of the missing one, so that the result is missing too. Where not all
    variants are in the plan, as with ``--only``, nothing is chosen, and they stand alone.

    Args:
        suite: the suite.
        plan: its plan; of one that has been through here nothing changes.
        store: where finished results are.
    """
    by_arm: dict[tuple[str, str], list[Trial]] = {}
    for trial in plan.trials:
        by_arm.setdefault((trial.table, trial.arm), []).append(trial)
    tables = []
    shown_as: dict[tuple[str, str], list[Trial]] = {}
    for table in suite.tables:
        made = []
        for shown in dict.fromkeys(arm.variant_of for arm in table.arms if arm.variant_of):
            arms = [arm for arm in table.arms if arm.variant_of == shown]
            places = [(table.id, arm.name) for arm in arms]
            if not all(place in by_arm for place in places):
                continue
            choice = _Choice(table, plan, store, suite.plugins.registry)
            shown_as[places[0]] = choice.of(arms, [trial for place in places for trial in by_arm[place]])
            shown_as |= {place: [] for place in places[1:]}
            names = tuple(arm.name for arm in arms)
            made.append(replace(arms[0], name=shown, variant_of="", variants=names, problem=choice.problem))
        tables.append(_with_arms(table, made))
    if not shown_as:
        return suite, plan
    chosen = {replace(trial, arm="", variant="", tried=()): trial for found in shown_as.values() for trial in found}
    trials = [trial for place, found in by_arm.items() for trial in shown_as.get(place, found)]
    retests = [
        replace(each, trial=chosen.get(replace(each.trial, arm=""), each.trial))
        if (each.trial.table, each.trial.arm) in shown_as
        else each
        for each in plan.retests
    ]
    kept = set(trials)
    return replace(suite, tables=tuple(tables)), replace(
        plan, trials=trials, retests=[each for each in retests if each.trial in kept]
    )


def _with_arms(table: Table, made: Sequence[Arm]) -> Table:
    """Return a table with arms that stand before their variants."""
    arms = list(table.arms)
    for arm in made:
        arms.insert(next(place for place, other in enumerate(arms) if other.name == arm.variants[0]), arm)
    return replace(table, arms=tuple(arms))


class _Choice:
    """Chooses among the variants of an arm by a comparison's criterion."""

    def __init__(self, table: Table, plan: Plan, store: Store, registry: Registry) -> None:
        self._table, self._plan, self._store, self._registry = table, plan, store, registry
        self.problem = ""

    def of(self, arms: Sequence[Arm], trials: Sequence[Trial]) -> list[Trial]:
        """Return the trial of each place under the name that tables show; the first variant of equal ones."""
        order = {arm.name: number for number, arm in enumerate(arms)}
        places: dict[_Place, list[Trial]] = {}
        for trial in trials:
            places.setdefault((trial.dataset, trial.labels, trial.chance), []).append(trial)
        found = []
        for variants in places.values():
            chosen = self._best(sorted(variants, key=lambda trial: order[trial.arm]))
            if chosen is not None:
                tried = tuple(trial.stage for trial in variants)
                found.append(replace(chosen, arm=arms[0].variant_of, tried=tried))
        return found

    def _best(self, variants: Sequence[Trial]) -> Trial | None:
        """Return the best one; the first that is missing; None where nothing can be chosen."""
        best, highest = None, float("-inf")
        for trial in variants:
            record = self._store.record(trial.stage)
            info = self._plan.datasets.get(trial.dataset)
            if record is None or info is None:
                return trial
            try:
                criterion = self._table.criterion or find_criterion(default_criterion(info.task), self._registry, {})
                value = _value(criterion.name, criterion.metric, Kept(record, self._store), info.task)
            except (UserError, KeyError) as error:
                self.problem = f"nothing could be chosen: {trial.arm}: {' '.join(str(error).split())}"
                return None
            score = float("-inf") if value is None else criterion.score(value)
            if best is None or score > highest:
                text = trial.arm.removeprefix(self._shown(trial)).strip() or trial.arm
                best, highest = replace(trial, variant=text), score
        return best

    def _shown(self, trial: Trial) -> str:
        return next(arm.shown for arm in self._table.arms if arm.name == trial.arm)


@lru_cache(maxsize=50_000)
def _value(name: str, metric: Metric, kept: Kept, task: Task) -> float | None:
    """Return a metric of the validation images of a result; a leaderboard that is drawn again reads them once.

    Raises:
        UserError: its scores of these were not kept, or cannot be read or judged.
        KeyError: its file lacks an array.
    """
    given, _ = kept_of(kept, task, b"")
    if given.val_labels is None or given.val_scores is None:
        raise UserError("it keeps no scores of validation images")
    return compute(name, metric, Predictions(task, given.val_labels, given.val_scores)).value
