"""The local executor: one stage after the other, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.executors.base import Executor, Job
from medssl_bench.plugin.watching import Epoch, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.plan.stage import Stage
    from medssl_bench.stages.workshop import Workshop


class LocalExecutor(Executor):
    """Runs stages in order in this process; what builds on a failed stage is blocked."""

    def run(self, job: Job) -> list[Outcome]:
        """Run the stages."""
        from medssl_bench.stages.workshop import Workshop
        from medssl_bench.training.device import find_device
        from medssl_bench.training.processor import keep_freed_memory

        device = find_device(job.device)
        if device.type == "cpu":
            keep_freed_memory()
        job.store.prepare()
        workshop = Workshop(job.registry, job.store, job.context, device)
        outcomes: dict[str, Outcome] = {}
        for stage in job.stages:
            reason = _blocked_by(stage, outcomes)
            if reason:
                outcome = Outcome(stage.info(), "blocked", reason=reason)
            else:
                job.watchers.tell("medssl_stage_begins", stage=stage.info())
                outcome = _run(stage, workshop, job)
            outcomes[stage.key] = outcome
            job.watchers.tell("medssl_stage_ends", stage=stage.info(), outcome=outcome)
        return list(outcomes.values())


def _blocked_by(stage: Stage, outcomes: dict[str, Outcome]) -> str:
    """Return which parent has not been finished, or an empty string."""
    for parent in stage.parents:
        outcome = outcomes.get(parent)
        if outcome is not None and outcome.status != "done":
            return outcome.reason if outcome.status == "blocked" else f"{outcome.stage.title} failed"
    return ""


def _run(stage: Stage, workshop: Workshop, job: Job) -> Outcome:
    from medssl_bench.stages.run import run_stage

    info = stage.info()

    def report(index: int, total: int, metrics: Mapping[str, float], speed: float | None) -> None:
        hook = "medssl_epoch_ends" if metrics else "medssl_epoch_begins"
        job.watchers.tell(hook, stage=info, epoch=Epoch(index, total, metrics, speed))

    return run_stage(stage, workshop, report)
