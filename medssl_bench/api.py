"""The Python interface: run a suite, load its leaderboard, load a trained encoder."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import DamageWarning, DataError, StoreError, UserError
from medssl_bench.folders import dataset_context
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.known_datasets import KnownDatasets
from medssl_bench.plan.remembered import remember
from medssl_bench.plan.selection import Only, Selection
from medssl_bench.plan.status import look
from medssl_bench.plugin.answers import asking, make
from medssl_bench.plugin.watching import Outcome, RunInfo
from medssl_bench.report.leaderboard import Leaderboard
from medssl_bench.stopping import stoppable
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

if TYPE_CHECKING:
    from torch import nn

    from medssl_bench.datasets import Dataset, DatasetContext
    from medssl_bench.executors import Executor
    from medssl_bench.plan.stage import Plan
    from medssl_bench.plan.status import StageStatus
    from medssl_bench.report.write import Written
    from medssl_bench.suite.budget import Budget
    from medssl_bench.suite.table import NamedDataset


_ROUNDS = 3
"""How often a run goes over its stages: again where a result was found to be damaged as something was built on it."""


@dataclass(frozen=True)
class RunResult:
    """What a run gives.

    Attributes:
        leaderboard: made from everything the store holds for the suite, earlier runs' results too.
        outcomes: how each stage ended that this run was to do.
        cached: how many stages were finished before.
    """

    leaderboard: Leaderboard
    outcomes: list[Outcome] = field(default_factory=list)
    cached: int = 0

    @property
    def failed(self) -> list[Outcome]:
        """The stages that failed themselves."""
        return [outcome for outcome in self.outcomes if outcome.status == "failed"]


def run(
    suite: str | Path | Suite,
    *,
    store: str | Path = "store",
    data_dir: str | Path | None = None,
    device: str = "auto",
    executor: str | Mapping[str, Any] = "local",
    only: Sequence[str] = (),
    seeds: Iterable[int] | None = None,
    draws: Iterable[int] | None = None,
    epochs_scale: float | None = None,
    retry_failed: bool = False,
) -> RunResult:
    """Run a suite: do every stage that the store does not hold yet, and make the leaderboard.

    Args:
        suite: a suite or its file.
        store: directory of finished stages; made if need be.
        data_dir: folder of data files; None: ``MEDSSL_BENCH_DATA``, or a folder of the user's cache.
        device: ``cpu``, ``cuda``, ``mps``, or ``auto``.
        executor: name of the executor, or a table with its ``name`` and parameters.
        only: comparisons, arms or data sets to run, by name; empty: all.
        seeds: training seeds, instead of the suite's.
        draws: label draws, instead of the suite's.
        epochs_scale: factor in (0, 1] on every training; below 1 all results are marked as scaled.
        retry_failed: try stages again that have failed before; else they stay failed, and what builds on them blocked.

    Raises:
        UserError: the suite, an option or the store cannot be used. A stage that fails raises nothing: it is
            recorded, the others go on, and `RunResult.failed` has it.
        Stopped: in the main thread, on Ctrl-C or SIGTERM; the same call goes on from the last checkpoint.
    """
    with stoppable():
        selection = make_selection(only=only, seeds=seeds, draws=draws, epochs_scale=epochs_scale)
        return _run(suite, selection, Path(store), data_dir, device, executor, retry_failed=retry_failed)


def _run(
    suite: str | Path | Suite,
    selection: Selection,
    store: Path,
    data_dir: str | Path | None,
    device: str,
    executor: str | Mapping[str, Any],
    *,
    retry_failed: bool,
) -> RunResult:
    suite = suite if isinstance(suite, Suite) else Suite.load(suite)
    context = dataset_context(data_dir)
    suite.require_files(Only(suite, selection.only).components_of(suite) if selection.only else None)
    plan = _plan_of_seen_data(suite, context, selection)
    opened = Store(store)
    statuses = look(plan, opened)
    cached = sum(status.status == "done" for status in statuses)
    if any(status.is_wanted for status in statuses):
        _remember(suite, selection, context, opened)
        for status in statuses if retry_failed else ():
            opened.forget_failure(status.stage.key)
    outcomes: dict[str, Outcome] = {}
    for _ in range(_ROUNDS):
        waiting = [status for status in statuses if status.is_wanted]
        if not waiting:
            break
        ended = _execute(suite, plan, opened, context, device, executor, waiting, cached)
        outcomes |= {outcome.stage.key: outcome for outcome in ended}
        if not any(outcome.status == "failed" and _lacks_a_parent(outcome, plan, opened) for outcome in ended):
            break
        statuses = look(plan, opened)
    return RunResult(Leaderboard.of(suite, plan, opened), list(outcomes.values()), cached)


def _lacks_a_parent(outcome: Outcome, plan: Plan, store: Store) -> bool:
    """Return whether a stage has failed as what it builds on was found to be damaged, and is set aside now."""
    stage = plan.stages[outcome.stage.key]
    unrecorded = store.failure(stage.key) is None
    return unrecorded and not all(store.is_done(parent) for parent in stage.parents)


def make_selection(
    *,
    only: Sequence[str] = (),
    seeds: Iterable[int] | None = None,
    draws: Iterable[int] | None = None,
    epochs_scale: float | None = None,
) -> Selection:
    """Return which part of a suite is meant.

    Raises:
        UserError: `epochs_scale` is not in (0, 1], or a seed or draw is negative or missing.
    """
    if epochs_scale is not None and not 0 < epochs_scale <= 1:
        raise UserError(f"--epochs-scale {epochs_scale:g}: give a factor above 0 and up to 1")
    numbers = {
        name: None if given is None else tuple(dict.fromkeys(given))
        for name, given in (("seeds", seeds), ("draws", draws))
    }
    for name, found in numbers.items():
        if found is not None and (not found or min(found) < 0):
            raise UserError(f"--{name}: give one or more whole numbers from 0, as in 0,1,2")
    return Selection(tuple(only), numbers["seeds"], numbers["draws"], epochs_scale)


def load_leaderboard(
    suite: str | Path | Suite,
    store: str | Path = "store",
    *,
    data_dir: str | Path | None = None,
    only: Sequence[str] = (),
    seeds: Iterable[int] | None = None,
    draws: Iterable[int] | None = None,
    epochs_scale: float | None = None,
) -> Leaderboard:
    """Return the leaderboard of a suite from what a store holds; nothing is run. Arguments as of `run`.

    Raises:
        UserError: the suite or an option is not valid, or the store cannot be read.
    """
    suite = suite if isinstance(suite, Suite) else Suite.load(suite)
    selection = make_selection(only=only, seeds=seeds, draws=draws, epochs_scale=epochs_scale)
    opened = Store(Path(store))
    return Leaderboard.of(suite, build_plan(suite, dataset_context(data_dir), selection, opened), opened)


def make_report(
    suite: str | Path | Suite,
    output: str | Path = "report",
    *,
    store: str | Path = "store",
    data_dir: str | Path | None = None,
    figures: bool = True,
    only: Sequence[str] = (),
    seeds: Iterable[int] | None = None,
    draws: Iterable[int] | None = None,
    epochs_scale: float | None = None,
    tell: Callable[[str], None] = lambda _text: None,
) -> Written:
    """Write a report on a suite from what a store holds; nothing is run.

    Args:
        suite: a suite or its file.
        output: a folder for ``report.html``, ``tables/`` and ``figures/``; or ``NAME.html``, for the page alone.
        store: directory of the store.
        data_dir: as of `run`; images are read for the samples of augmentations only.
        figures: whether to draw figures.
        only: as of `run`; also the other three.
        seeds: as of `run`.
        draws: as of `run`.
        epochs_scale: as of `run`.
        tell: told how far the figures are, and what cannot be drawn.

    Raises:
        UserError: the suite or an option is not valid, the store has no result of it, or `output` cannot be written.
    """
    from medssl_bench.report.study import Study
    from medssl_bench.report.write import write_report

    suite = suite if isinstance(suite, Suite) else Suite.load(suite)
    context = dataset_context(data_dir)
    selection = make_selection(only=only, seeds=seeds, draws=draws, epochs_scale=epochs_scale)
    opened = Store(Path(store))
    study = Study.of(suite, build_plan(suite, context, selection, opened), opened)
    if study.board.is_empty and epochs_scale is None:
        for scale in scales(opened):
            scaled = replace(selection, epochs_scale=scale)
            found = Study.of(suite, build_plan(suite, context, scaled, opened), opened)
            if not found.board.is_empty:
                tell(f"note: only results with --epochs-scale {scale:g} are in {opened.path}; they are shown")
                study = found
                break
    if study.board.is_empty:
        raise UserError(f"{opened.path}: it holds no results of {suite.name!r}; run it first")
    drawn = []
    if figures:
        from medssl_bench.report.figures import all_figures

        drawn = all_figures(suite, study.plan, opened, context, left_out=lambda text: tell(f"left out: {text}"))
    return write_report(study, drawn, Path(output), tell)


def scales(store: Store) -> list[float]:
    """Return the factors below 1 by which the trainings of a store's results were scaled, the largest first."""
    return sorted({record.epochs_scale for record in store.records()} - {1.0}, reverse=True)


def load_encoder(
    key: str, store: str | Path = "store", *, suite: str | Path | Suite | None = None, device: str = "cpu"
) -> nn.Module:
    """Return a trained encoder: images (B, 3, H, W) in [0, 1] to features (B, D), in evaluation mode.

    Args:
        key: content key of a pretrain stage, or of an evaluate stage that trained its encoder, or the beginning of
            one, as ``medssl-bench plan`` shows it.
        store: directory of the store.
        suite: the suite, where the encoder is one of its inline plugins' (their code is run).
        device: where to put it.

    Raises:
        UserError: the store has no such stage, or the stage left no encoder.
    """
    from medssl_bench.plugin.manager import load_plugins
    from medssl_bench.stages.workshop import Workshop
    from medssl_bench.training.device import find_device

    opened = Store(Path(store))
    whole = opened.find(key)
    record = opened.record(whole)
    if record is not None and "encoder.safetensors" not in record.files:
        raise UserError(f"stage {whole[:12]} left no encoder; give a pretrain stage, or one that fine-tuned")
    loaded = Suite.load(suite) if isinstance(suite, str | Path) else suite
    registry = (loaded.plugins if loaded else load_plugins()).registry
    workshop = Workshop(registry, opened, dataset_context(None), find_device(device))
    return workshop.encoder(None, whole).eval()


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
            text = f"{status.stage.title}: {damage}; it is set aside in {moved} and computed anew"
            warnings.warn(text, DamageWarning, stacklevel=3)


def _execute(
    suite: Suite,
    plan: Plan,
    store: Store,
    context: DatasetContext,
    device: str,
    executor: str | Mapping[str, Any],
    waiting: list[StageStatus],
    cached: int,
) -> list[Outcome]:
    from medssl_bench.executors import Job, Watchers
    from medssl_bench.executors.answer import run_job

    registry = suite.plugins.registry
    chosen = registry.resolve_or_raise("executor", executor if isinstance(executor, str) else dict(executor))
    runner: Executor = make(registry, chosen)
    _set_damaged_aside(store, waiting)
    watchers = Watchers(suite.plugins.manager)
    info = RunInfo(suite.name, store.path, tuple(s.stage.info(s.seconds) for s in waiting), cached)
    job = Job(tuple(status.stage for status in waiting), registry, store, context, device, watchers)
    watchers.tell("medssl_run_begins", run=info, refresh=lambda: Leaderboard.of(suite, plan, store))
    outcomes = watchers.ended  # of a run that is interrupted, what ended before
    try:
        outcomes = run_job(runner, job, chosen.name)
    finally:
        watchers.tell("medssl_run_ends", run=info, outcomes=list(outcomes))
    return outcomes
