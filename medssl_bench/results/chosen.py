"""Puts one arm in the place of several variants: for each result the one that is best on the validation images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from medssl_bench.errors import UserError
from medssl_bench.metrics.criterion import default_criterion, find_criterion
from medssl_bench.metrics.metric import Predictions
from medssl_bench.results.measured import Kept, kept_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.datasets import Task
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
    tables = []
    trials, variants = list(plan.trials), dict[tuple[str, str], tuple[str, ...]]()
    for table in suite.tables:
        made = []
        for shown in dict.fromkeys(arm.variant_of for arm in table.arms if arm.variant_of):
            arms = [arm for arm in table.arms if arm.variant_of == shown]
            names = tuple(arm.name for arm in arms)
            theirs = [trial for trial in plan.trials if trial.table == table.id and trial.arm in names]
            if {trial.arm for trial in theirs} != set(names):
                continue
            choice = _Choice(table, plan, store, suite.plugins.registry)
            found = choice.of(arms, theirs)
            first = trials.index(theirs[0])
            trials = [*trials[:first], *found, *(trial for trial in trials[first:] if trial not in theirs)]
            made.append(replace(arms[0], name=shown, variant_of="", variants=names, problem=choice.problem))
            variants[table.id, shown] = names
        tables.append(_with_arms(table, made))
    if not variants:
        return suite, plan
    shown_trials = {(trial.table, trial.stage): trial for trial in trials if (trial.table, trial.arm) in variants}
    retests = [
        replace(each, trial=shown_trials.get((each.trial.table, each.trial.stage), each.trial)) for each in plan.retests
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
                score = self._score(Kept(record, self._store), info.task)
            except (UserError, KeyError) as error:
                self.problem = f"nothing could be chosen: {trial.arm}: {' '.join(str(error).split())}"
                return None
            if best is None or score > highest:
                text = trial.arm.removeprefix(self._shown(trial)).strip() or trial.arm
                best, highest = replace(trial, variant=text), score
        return best

    def _score(self, kept: Kept, task: Task) -> float:
        """Return how good a result is on its validation images.

        Raises:
            UserError: its scores of these were not kept, or cannot be read or judged.
            KeyError: its file lacks an array.
        """
        given, _ = kept_of(kept, task, b"")
        if given.val_labels is None or given.val_scores is None:
            raise UserError("it keeps no scores of validation images")
        criterion = self._table.criterion or find_criterion(default_criterion(task), self._registry, {})
        value = criterion.value(Predictions(task, given.val_labels, given.val_scores))
        return float("-inf") if value is None else criterion.score(value)

    def _shown(self, trial: Trial) -> str:
        return next(arm.shown for arm in self._table.arms if arm.name == trial.arm)
