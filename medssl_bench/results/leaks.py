"""What the parts of data sets share, which makes the numbers of a table too good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.datasets.fold import Fold
from medssl_bench.plan.remembered import recall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from medssl_bench.plan.stage import Plan, Trial
    from medssl_bench.results.cells import Results
    from medssl_bench.store.store import Store
    from medssl_bench.suite.table import Table


def leaks_of(table: Table, plan: Plan, store: Store, results: Results) -> dict[str, tuple[str, ...]]:
    """Return lines on what each data set of a comparison shares, and on the test images that are left out for it."""
    trials = [trial for trial in plan.trials if trial.table == table.id]
    return _with_left_out(_leaks(table, trials, plan, store), trials, results)


def _with_left_out(
    leaks: Mapping[str, tuple[str, ...]], trials: Sequence[Trial], results: Results
) -> dict[str, tuple[str, ...]]:
    """Return what data sets share, and behind it how many test images are left out of every number for it."""
    found = dict(leaks)
    for (label, fold), stage in {(trial.dataset, trial.fold): trial.stage for trial in reversed(trials)}.items():
        places = results.left_out(stage)
        if label in found and len(places):
            are = "image that is a copy" if len(places) == 1 else "images that are copies"
            line = f"computed WITHOUT the {len(places):,} test {are}"
            found[label] = (*found[label], line if fold is None else f"fold {fold}: {line}")
    return found


def _leaks(table: Table, trials: Sequence[Trial], plan: Plan, store: Store) -> dict[str, tuple[str, ...]]:
    """Return what the splits of each data set share, which makes numbers too good: as runs have found it.

    What a store remembers counts only for the content that the plan is of: another folder may have the same name.
    """
    contents = {trial.dataset: plan.stages[trial.stage].spec.dataset.fingerprint for trial in trials}
    folds = list(dict.fromkeys(trial.fold for trial in trials))
    found: dict[str, tuple[str, ...]] = {}
    for dataset in table.datasets:
        if dataset.label not in plan.datasets:
            continue
        info = plan.datasets[dataset.label]
        lines: list[str] = []
        if info and table.folds == 1:  # folds are not the splits that a data set warns of
            lines += info.warnings
        for number in folds:
            fold = None if number is None else Fold(number, table.folds)
            remembered = recall(dataset.component, store, fold)
            if remembered and remembered[1] == contents.get(dataset.label):
                lines += [line if fold is None else f"fold {number}: {line}" for line in remembered[0].warnings]
        found[dataset.label] = tuple(dict.fromkeys(lines))
    return found
