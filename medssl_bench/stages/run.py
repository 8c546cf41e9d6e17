"""Runs one stage: its files are made in a folder of their own and moved into the store when all is done."""

from __future__ import annotations

import resource
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from medssl_bench.errors import StageError, UserError
from medssl_bench.plan.stage import Stage, StageKind
from medssl_bench.plugin.watching import Outcome
from medssl_bench.stages.embed import embed
from medssl_bench.stages.energy import EnergyMeter
from medssl_bench.stages.evaluate import analyse, evaluate
from medssl_bench.stages.pretrain import pretrain
from medssl_bench.stages.provenance import provenance
from medssl_bench.stages.workshop import Report, StageResult, Workshop
from medssl_bench.store.record import Record

_Do = Callable[[Mapping[str, Any], Workshop, Path, Report], StageResult]
_DO: dict[StageKind, _Do] = {"pretrain": pretrain, "embed": embed, "evaluate": evaluate, "analyse": analyse}


def run_stage(stage: Stage, workshop: Workshop, report: Report) -> Outcome:
    """Run one stage whose parents are finished, and record how it ended; only an interrupt gets out of here.

    A failure that cannot be recorded, on a full disk for one, is told in the outcome all the same.

    Args:
        stage: what to do.
        workshop: what to work with.
        report: called after each epoch.
    """
    spec = {**stage.spec, "parents": list(stage.parents)}
    wall, processor, meter = time.perf_counter(), time.process_time(), EnergyMeter()
    record = Record(
        stage.key, stage.kind, stage.title, "done", stage.identity, epochs_scale=spec["epochs_scale"], spec=spec
    )
    try:
        with workshop.store.workplace(stage.key) as folder:
            result = _DO[stage.kind](spec, workshop, folder, report)
            seconds = time.perf_counter() - wall
            done = _with(
                record,
                metrics=result.metrics,
                cost={
                    "wall_seconds": seconds,
                    "processor_seconds": time.process_time() - processor,
                    "images_seen": result.images_seen,
                    "images": stage.images,
                    "speed_group": stage.speed_group,
                    "peak_memory_bytes": _peak_memory(),
                    "energy_joules": meter.joules(),
                },
                provenance=provenance(workshop.registry, spec, workshop.device),
            )
            workshop.store.finish(done, folder)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a component raises, SystemExit too, is its stage's failure
        reason = str(error) if isinstance(error, StageError | UserError) else f"{type(error).__name__}: {error}"
        reason = " ".join(reason.split())
        try:
            workshop.store.fail(_with(record, status="failed", reason=reason), traceback.format_exc())
        except OSError as unwritten:
            reason += f" (not recorded: the store cannot be written: {unwritten.strerror})"
        return Outcome(stage.info(), "failed", time.perf_counter() - wall, reason=reason)
    return Outcome(stage.info(), "done", seconds, result.headline)


def _with(record: Record, **changes: Any) -> Record:
    return Record(**{**vars(record), **changes})


def _peak_memory() -> int:
    """Return the most memory that this process has held so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
