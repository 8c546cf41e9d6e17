"""The Python interface: run a suite, load its leaderboard, load a trained encoder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.datasets.locations import dataset_context
from medssl_bench.errors import UserError
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.estimates import Estimates
from medssl_bench.session.leaderboard import Leaderboard
from medssl_bench.session.left_out import copies_in_test
from medssl_bench.session.planned import RunPlan
from medssl_bench.session.running import RunResult, run_suite
from medssl_bench.session.selected import make_selection
from medssl_bench.session.watching import followed
from medssl_bench.stopping import stoppable
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

if TYPE_CHECKING:
    from torch import nn

    from medssl_bench.report.write import Written


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
    folds: Iterable[int] | None = None,
    epochs_scale: float | None = None,
    retry_failed: bool = False,
    watch: Sequence[str | Mapping[str, Any]] = (),
    progress: bool = True,
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
        folds: numbers of the folds of comparisons that have folds; none: all.
        epochs_scale: factor in (0, 1] on every pretraining and fine-tuning; below 1 all results are marked as scaled.
        retry_failed: try stages again that have failed before; else they stay failed, and what builds on them blocked.
        watch: watchers that follow the run, such as ``tensorboard``: each a name, or a table with its ``name`` and
            parameters.
        progress: whether to show how far the run is. In a notebook that is one output below the cell, which is drawn
            again and again. Else it goes to the standard error: a live view on a terminal, elsewhere a line when a
            stage begins and ends. A run that has nothing to do shows nothing.

    Returns:
        The leaderboard, and how each stage ended.

    Raises:
        UserError: the suite, an option or the store cannot be used. A stage that fails raises nothing: it is
            recorded, the others go on, and `RunResult.failed` has it.
        Stopped: in the main thread, on Ctrl-C or SIGTERM; the same call goes on from the last checkpoint.
    """
    with stoppable():
        selection = make_selection(only=only, seeds=seeds, draws=draws, folds=folds, epochs_scale=epochs_scale)
        suite = suite if isinstance(suite, Suite) else Suite.load(suite)
        with followed(suite.plugins, watch), _shown(suite) if progress else nullcontext():
            return run_suite(suite, selection, Path(store), data_dir, device, executor, retry_failed=retry_failed)


@contextmanager
def _shown(suite: Suite) -> Iterator[None]:
    """Show the runs of a suite in the notebook, or on the standard error."""
    from rich.console import Console

    from medssl_bench.progress import watcher

    manager, shows = suite.plugins.manager, watcher(Console(stderr=True))
    manager.register(shows)
    try:
        yield
    finally:
        if manager.is_registered(shows):  # one that has raised is left out
            manager.unregister(shows)


def make_plan(
    suite: str | Path | Suite,
    *,
    store: str | Path = "store",
    data_dir: str | Path | None = None,
    device: str = "auto",
    only: Sequence[str] = (),
    seeds: Iterable[int] | None = None,
    draws: Iterable[int] | None = None,
    folds: Iterable[int] | None = None,
    epochs_scale: float | None = None,
) -> RunPlan:
    """Return what `run` would do with these arguments, and about how long that takes; nothing is run.

    Raises:
        UserError: the suite or an option is not valid, or the store cannot be read.
    """
    suite = suite if isinstance(suite, Suite) else Suite.load(suite)
    context, opened = dataset_context(data_dir), Store(Path(store))
    selection = make_selection(only=only, seeds=seeds, draws=draws, folds=folds, epochs_scale=epochs_scale)
    plan = build_plan(suite, context, selection)
    return RunPlan.of(suite, plan, opened, Estimates(opened.records(), context.cache_dir, device))


def load_leaderboard(
    suite: str | Path | Suite,
    store: str | Path = "store",
    *,
    data_dir: str | Path | None = None,
    only: Sequence[str] = (),
    seeds: Iterable[int] | None = None,
    draws: Iterable[int] | None = None,
    folds: Iterable[int] | None = None,
    epochs_scale: float | None = None,
    without_copies: bool = False,
) -> Leaderboard:
    """Return the leaderboard of a suite from what a store holds; nothing is run. Arguments as of `run`.

    With `without_copies`, every metric is computed from the scores that are kept, without the test images that another
    part of the data set has too (`medssl_bench.session.left_out`).

    Raises:
        UserError: the suite or an option is not valid, or the store cannot be read.
    """
    suite = suite if isinstance(suite, Suite) else Suite.load(suite)
    selection = make_selection(only=only, seeds=seeds, draws=draws, folds=folds, epochs_scale=epochs_scale)
    opened = Store(Path(store))
    context = dataset_context(data_dir)
    plan = build_plan(suite, context, selection, opened)
    without = copies_in_test(plan, suite.plugins.registry, context) if without_copies else None
    return Leaderboard.of(suite, plan, opened, without)


def make_report(
    suite: str | Path | Suite,
    output: str | Path = "report",
    *,
    store: str | Path = "store",
    data_dir: str | Path | None = None,
    figures: bool = True,
    formats: Sequence[str] = ("png",),
    checklists: Sequence[str] = (),
    only: Sequence[str] = (),
    seeds: Iterable[int] | None = None,
    draws: Iterable[int] | None = None,
    folds: Iterable[int] | None = None,
    epochs_scale: float | None = None,
    without_copies: bool = False,
    tell: Callable[[str], None] = lambda _text: None,
) -> Written:
    """Write a report on a suite from what a store holds; nothing is run.

    Args:
        suite: a suite or its file.
        output: a folder for ``report.html``, ``tables/`` and ``figures/``; or ``NAME.html``, for the page alone.
        store: directory of the store.
        data_dir: as of `run`; images are read for the samples of augmentations only.
        figures: whether to draw figures.
        formats: what figures are written as: some of ``png`` (200 dots per inch), ``svg`` (text stays text) and ``pdf``
            (fonts embedded). The page shows the SVG where it is asked for and not large, else the PNG.
        checklists: guidelines for which a draft is written beside the page: some of ``reforms``, ``claim`` and
            ``tripod-ai``.
        only: as of `run`; also the other four.
        seeds: as of `run`.
        draws: as of `run`.
        folds: as of `run`.
        epochs_scale: as of `run`.
        without_copies: as of `load_leaderboard`; figures of test predictions leave the copies out too.
        tell: called with the progress of the figures, and with what cannot be drawn.

    A result that is no longer what was written is set aside, with a warning, and missing in the report.

    Raises:
        UserError: the suite or an option is not valid, the store has no result of it, or `output` cannot be written.
    """
    from medssl_bench.figures.figure import require_formats
    from medssl_bench.report.of_plugins import added_by_plugins
    from medssl_bench.report.study import Study
    from medssl_bench.report.write import write_report
    from medssl_bench.store.audit import set_altered_aside

    try:
        require_formats(formats)
    except ValueError as error:
        raise UserError(f"--formats: {error}") from None
    suite = suite if isinstance(suite, Suite) else Suite.load(suite)
    context = dataset_context(data_dir)
    selection = make_selection(only=only, seeds=seeds, draws=draws, folds=folds, epochs_scale=epochs_scale)
    opened = Store(Path(store))
    plan = build_plan(suite, context, selection, opened)
    set_altered_aside(opened, plan.stages)
    without = copies_in_test(plan, suite.plugins.registry, context) if without_copies else None
    study = Study.of(suite, plan, opened, without)
    if study.board.is_empty and epochs_scale is None:
        for scale in scales(opened):
            scaled = replace(selection, epochs_scale=scale)
            plan = build_plan(suite, context, scaled, opened)
            set_altered_aside(opened, plan.stages)
            found = Study.of(suite, plan, opened, without)
            if not found.board.is_empty:
                tell(f"note: only results with --epochs-scale {scale:g} are in {opened.path}; they are shown")
                study = found
                break
    if study.board.is_empty:
        raise UserError(f"{opened.path}: it holds no results of {suite.name!r}; run it first")
    drawn = []
    added, sections = added_by_plugins(study, tell, formats, figures=figures)
    if figures:
        from medssl_bench.figures.all import all_figures, with_unique_ids

        drawn = all_figures(
            study.suite,
            study.plan,
            opened,
            context,
            board=study.board,
            cache=context.cache_dir,
            left_out=lambda text: tell(f"left out: {text}"),
            without=without,
        )
        drawn = with_unique_ids([*drawn, *added])
    return write_report(study, drawn, Path(output), tell, formats=formats, checklists=checklists, sections=sections)


def scales(store: Store) -> list[float]:
    """Return the factors below 1 by which the trainings of a store's results were scaled, the largest first."""
    return sorted({record.epochs_scale for record in store.records()} - {1.0}, reverse=True)


def load_encoder(
    key: str, store: str | Path = "store", *, suite: str | Path | Suite | None = None, device: str = "cpu"
) -> nn.Module:
    """Return a trained encoder: images (B, 3, H, W) in [0, 1] to features (B, D), in evaluation mode.

    Args:
        key: content key of a pretrain stage, or of an evaluate stage that trained its encoder, or the beginning of
            one, as ``medssl-bench plan --stages`` shows it.
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
