"""The hooks a plugin can implement; their names and arguments are the plugin interface.

The ``medssl_<kind>s`` hooks register components; each is called once, when plugins are loaded, with a
`Register`. ``medssl_report`` adds to a report. The others watch a run; what they raise is reported once and ends the
watching, never the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.plugin.markers import hookspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from medssl_bench.plugin.registry import Register
    from medssl_bench.plugin.watching import Board, Epoch, Outcome, RunInfo, StageInfo


@hookspec
def medssl_datasets(register: Register) -> None:
    """Register data sets: ``factory(context, *, ...) -> medssl_bench.datasets.Dataset``."""


@hookspec
def medssl_augmentations(register: Register) -> None:
    """Register augmentations: ``factory(size, *, ...) -> nn.Module``, images (B, 3, H, W) in [0, 1] to views."""


@hookspec
def medssl_ops(register: Register) -> None:
    """Register ops for suites' lists of ops: ``factory(size, *, ...) -> medssl_bench.augmentations.Op``."""


@hookspec
def medssl_encoders(register: Register) -> None:
    """Register encoders: ``factory(size, *, ...) -> nn.Module`` with an attribute ``dim``."""


@hookspec
def medssl_methods(register: Register) -> None:
    """Register methods: ``factory(encoder, context, *, ...) -> medssl_bench.methods.Method``."""


@hookspec
def medssl_evaluators(register: Register) -> None:
    """Register evaluators: ``factory(*, ...) -> medssl_bench.evaluators.Evaluator``."""


@hookspec
def medssl_optimizers(register: Register) -> None:
    """Register optimisers: ``factory(groups, recorded, *, lr, ...) -> torch.optim.Optimizer``.

    ``groups`` are parameter groups. With ``recorded`` the steps are recorded in a CUDA graph, so a step must not read
    from the device; one that cannot be recorded is done by hand, with a warning.
    """


@hookspec
def medssl_schedules(register: Register) -> None:
    """Register schedules: ``factory(*, ...) -> (place, length, lr) -> learning rate``, a pure function."""


@hookspec
def medssl_metrics(register: Register) -> None:
    """Register metrics, the columns of tables: ``factory() -> medssl_bench.metrics.Metric``."""


@hookspec
def medssl_executors(register: Register) -> None:
    """Register executors: ``factory(*, ...) -> medssl_bench.executors.Executor``."""


@hookspec
def medssl_watchers(register: Register) -> None:
    """Register watchers that users ask for: ``factory(*, ...) -> an object with hooks of a run as methods``."""


@hookspec
def medssl_references(register: Register) -> None:
    """Register published numbers: ``factory(table, *, ...) -> medssl_bench.published.reference.Reference``."""


@hookspec
def medssl_claims(register: Register) -> None:
    """Register published claims: ``factory(*, ...) -> medssl_bench.published.claims.Claims``."""


@hookspec
def medssl_report(study: Any) -> Iterable[Any]:  # type: ignore[empty-body]
    """Add to a report.

    Args:
        study: what the report is about, a `medssl_bench.report.study.Study`: suite, plan, store, leaderboard.

    Returns:
        `medssl_bench.figures.figure.ReportFigure` and `medssl_bench.report.of_plugins.Section`, in order. A figure that
        belongs to a comparison stands with its figures.
    """


@hookspec
def medssl_run_begins(run: RunInfo, refresh: Callable[[], Board], views: Callable[[StageInfo], bytes | None]) -> None:
    """A run is about to start its first stage.

    Args:
        run: what is run.
        refresh: returns the leaderboard as it stands, a `medssl_bench.Leaderboard` without intervals and verdicts; to
            be called at any time.
        views: returns a picture of training images and views of them, a PNG file, for a pretraining; None where there
            is none, as for other stages and where the images are not on this machine. The first call for an
            augmentation and a data set takes seconds; so call it when the stage has ended, and its data are here.
    """


@hookspec
def medssl_stage_begins(stage: StageInfo) -> None:
    """A stage is about to start."""


@hookspec
def medssl_stage_waits(stage: StageInfo, owner: str) -> None:
    """Nothing is left to do but to wait for a stage that another process, `owner`, works on."""


@hookspec
def medssl_stage_queued(stage: StageInfo, why: str) -> None:
    """A stage waits in the queue of a cluster; `why`, in the cluster's words, such as ``Resources``, may be empty."""


@hookspec
def medssl_epoch_begins(stage: StageInfo, epoch: Epoch) -> None:
    """An epoch of training is about to start; `epoch.metrics` is empty."""


@hookspec
def medssl_epoch_ends(stage: StageInfo, epoch: Epoch) -> None:
    """An epoch of training has ended."""


@hookspec
def medssl_stage_ends(stage: StageInfo, outcome: Outcome) -> None:
    """A stage has ended, well or not."""


@hookspec
def medssl_run_ends(run: RunInfo, outcomes: list[Outcome]) -> None:
    """A run has ended; `outcomes` has every stage that it ran."""
