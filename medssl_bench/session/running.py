"""A run: plan, what is missing, and an executor that does it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.datasets.locations import dataset_context
from medssl_bench.errors import DamageWarning, DataError, EncoderWarning, StoreError
from medssl_bench.markup import block, line
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.estimates import Estimates
from medssl_bench.plan.known_datasets import KnownDatasets
from medssl_bench.plan.remembered import remember
from medssl_bench.plan.selection import Only, Selection
from medssl_bench.plan.status import look
from medssl_bench.plugin.guarded import asking, make
from medssl_bench.plugin.watching import Outcome, RunInfo
from medssl_bench.progress.words import ended
from medssl_bench.results.formats.html import to_html
from medssl_bench.session.brought_check import check_brought
from medssl_bench.session.encoder_check import fitting_encoders
from medssl_bench.session.leaderboard import Leaderboard
from medssl_bench.session.views import Views
from medssl_bench.store.presence import present
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

if TYPE_CHECKING:
    from medssl_bench.datasets import Dataset, DatasetContext
    from medssl_bench.datasets.budget import Budget
    from medssl_bench.executors import Executor
    from medssl_bench.plan.stage import Plan
    from medssl_bench.plan.status import StageStatus
    from medssl_bench.suite.table import NamedDataset

_SHOWN = 10
"""Failures that a notebook shows; the result has all of them."""

_ROUNDS = 3
"""How often a run goes over its stages: again where a result was found to be damaged as something was built on it."""


@dataclass(frozen=True, repr=False)
class RunResult:
    """What `medssl_bench.run` gives.

    Attributes:
        leaderboard: made from everything the store holds for the suite, earlier runs' results too.
        outcomes: how each stage ended that this run was to do, in the order in which they ended: a list of
            `medssl_bench.plugin.watching.Outcome`, with `stage` (`key`, `kind`, `title`), `status`, `seconds`,
            `metrics` and `reason`.
        cached: how many stages were finished before.
    """

    leaderboard: Leaderboard
    outcomes: list[Outcome] = field(default_factory=list)
    cached: int = 0

    @property
    def done(self) -> list[Outcome]:
        """The stages that this run finished."""
        return self._of("done")

    @property
    def failed(self) -> list[Outcome]:
        """The stages that failed themselves; empty: all went well."""
        return self._of("failed")

    @property
    def blocked(self) -> list[Outcome]:
        """The stages that were not tried, as one that they build on has failed."""
        return self._of("blocked")

    def _of(self, status: str) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status == status]

    def _repr_html_(self) -> str:
        """Draw in a notebook what failed, and the leaderboard."""
        counts = f"{ended(self.outcomes)}, {self.cached} done before"
        failures = [line(f"failed: {outcome.stage.title}: {outcome.reason}", "bad") for outcome in self.failed]
        return block([line(counts), *failures[:_SHOWN]]) + to_html(self.leaderboard)

    def __repr__(self) -> str:
        counts = f"{ended(self.outcomes)}, {self.cached} done before"
        reasons = "".join(f"; {outcome.stage.title!r} failed: {outcome.reason}" for outcome in self.failed[:1])
        return f"<RunResult of {self.leaderboard.suite!r}: {counts}{reasons}>"


def run_suite(
    suite: str | Path | Suite,
    selection: Selection,
    store: Path,
    data_dir: str | Path | None,
    device: str,
    executor: str | Mapping[str, Any],
    *,
    retry_failed: bool,
) -> RunResult:
    """Do what is missing of a suite; arguments and errors as of `medssl_bench.run`."""
    suite = suite if isinstance(suite, Suite) else Suite.load(suite)
    suite.plugins.check_watchers()
    context = dataset_context(data_dir)
    suite.require_files(Only(suite, selection.only).components_of(suite) if selection.only else None)
    plan = _plan_of_seen_data(suite, context, selection)
    opened = Store(store)
    statuses = look(plan, opened, Estimates(opened.records(), context.cache_dir, device))
    cached = sum(status.status == "done" for status in statuses)
    registry = suite.plugins.registry
    chosen = registry.resolve_or_raise("executor", executor if isinstance(executor, str) else dict(executor))
    runner: Executor = make(registry, chosen)
    if not any(status.is_wanted for status in statuses):
        return RunResult(Leaderboard.of(suite, plan, opened), [], cached)
    wanted = [status.stage for status in statuses if status.is_wanted]
    done = [status.stage for status in statuses if status.status == "done"]
    check_brought(suite, wanted, context)
    for encoder in fitting_encoders(suite, wanted, fetch=True, done=done):
        for note in encoder.notes:
            warnings.warn(f"encoder {encoder.name}: {note}", EncoderWarning, stacklevel=2)
    _remember(suite, selection, context, opened)
    for status in statuses if retry_failed else ():
        opened.forget_failure(status.stage.key)
    rounds = _Rounds(suite, plan, opened, context, device, runner, chosen.name)
    with present(opened.path, plan.stages.keys()):
        # once more: what was there before may have been deleted in the moment in which nothing said that it is needed
        statuses = look(plan, opened, Estimates(opened.records(), context.cache_dir, device))
        outcomes = rounds.run(statuses, cached)
    return RunResult(Leaderboard.of(suite, plan, opened), outcomes, cached)


@dataclass(frozen=True)
class _Rounds:
    """Lets an executor do what is missing, and again what a damaged result has kept it from doing."""

    suite: Suite
    plan: Plan
    store: Store
    context: DatasetContext
    device: str
    executor: Executor
    name: str

    def run(self, statuses: list[StageStatus], cached: int) -> list[Outcome]:
        outcomes: dict[str, Outcome] = {}
        for _ in range(_ROUNDS):
            waiting = [status for status in statuses if status.is_wanted]
            if not waiting:
                break
            _set_damaged_aside(self.store, waiting)
            ended = self._round(waiting, cached)
            outcomes |= {outcome.stage.key: outcome for outcome in ended}
            if not any(_lacks_a_parent(outcome, self.plan, self.store) for outcome in ended):
                break
            statuses = look(self.plan, self.store)
        return list(outcomes.values())

    def _round(self, waiting: list[StageStatus], cached: int) -> list[Outcome]:
        from medssl_bench.executors import Job, Watchers
        from medssl_bench.executors.answer import run_job

        manager, registry = self.suite.plugins.manager, self.suite.plugins.registry
        watchers = Watchers(manager)
        info = RunInfo(self.suite.name, self.store.path, tuple(s.stage.info(s.seconds) for s in waiting), cached)
        job = Job(tuple(s.stage for s in waiting), registry, self.store, self.context, self.device, watchers)
        views = Views(self.plan, self.suite.plugins, self.context)
        watchers.tell("medssl_run_begins", run=info, refresh=self._board, views=views)
        ended = watchers.ended  # of a run that is interrupted, what ended before
        try:
            ended = run_job(self.executor, job, self.name)
        finally:
            watchers.tell("medssl_run_ends", run=info, outcomes=list(ended))
        return ended

    def _board(self) -> Leaderboard:
        """Return the leaderboard as it stands; watchers draw it after every stage, so nothing of it is judged."""
        return Leaderboard.of(self.suite, self.plan, self.store, judged=False)


def _lacks_a_parent(outcome: Outcome, plan: Plan, store: Store) -> bool:
    """Return whether a stage has failed as what it builds on was found to be damaged, and is set aside now."""
    stage = plan.stages[outcome.stage.key]
    unrecorded = outcome.status == "failed" and store.failure(stage.key) is None
    return unrecorded and not all(store.is_done(parent) for parent in stage.parents)


def _plan_of_seen_data(suite: Suite, context: DatasetContext, selection: Selection) -> Plan:
    """Return a plan without pending stages: data that cannot be seen before it is fetched is fetched now."""
    plan = build_plan(suite, context, selection)
    counted = _to_be_counted(suite, plan)
    if not counted and not any(stage.pending for stage in plan.stages.values()):
        return plan
    registry = suite.plugins.registry
    for dataset in _datasets(suite, selection):
        made: Dataset = make(registry, dataset.component, context=context)
        with asking(dataset.component):
            if made.fingerprint() is None or dataset.label in counted:
                made.load()
    plan = build_plan(suite, context, selection)
    for stage in plan.stages.values():
        if stage.pending:
            raise DataError(f"{stage.title}: its data set has no fingerprint even after it was loaded")
    return plan


def _remember(suite: Suite, selection: Selection, context: DatasetContext, store: Store) -> None:
    """Let a store remember the data sets of what was selected, so that its results can be shown where they are not."""
    store.prepare()
    known = KnownDatasets(suite.plugins.registry, context)
    try:
        for dataset in _datasets(suite, selection):
            remember(known.get(dataset.component), store)
    except OSError as error:
        raise StoreError(f"{store.path}: the store cannot be written: {error.strerror}") from error


def _datasets(suite: Suite, selection: Selection) -> list[NamedDataset]:
    """Return the data sets of what is selected of a suite, those of its pretrainings too."""
    return list({item.label: item for item in Only(suite, selection.only).datasets_of(suite)}.values())


def _to_be_counted(suite: Suite, plan: Plan) -> set[str]:
    """Return the data sets whose images must be counted by class before anything is trained on them."""
    found = set()
    for table in suite.tables:
        infos = {dataset.label: plan.datasets.get(dataset.label) for dataset in table.datasets}
        known = [(label, info) for label, info in infos.items() if info is not None]
        if any(_counts_classes(budget) for budget in table.labels):
            found |= {label for label, info in known if info.class_counts is None}
        if _counts_classes(table.model.validation_labels):
            found |= {label for label, info in known if info.val_class_counts is None}
    return found


def _counts_classes(budget: Budget) -> bool:
    return budget.unit == "per_class" and budget.short != "clip"


def _set_damaged_aside(store: Store, waiting: list[StageStatus]) -> None:
    for status in waiting:
        damage = store.damage(status.stage.key)
        if damage and (moved := store.set_aside(status.stage.key)):
            text = f"{status.stage.title}: {damage}; it is set aside in {moved} and computed again"
            warnings.warn(text, DamageWarning, stacklevel=3)
