"""The worker protocol: how an executor has stages run in another process, on this machine or elsewhere.

A job is described as data (`describe`), a worker does it (`work`) and says what happens, an event at a time. The
executor passes events on (`Relay`), and records the death of a worker that could not do so itself (`record_death`).
The store and its leases stay the truth: no result travels through events, and an event that is lost or heard twice
changes none. `isolated` uses this, and an executor of a plugin may.
"""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.datasets import DatasetContext
from medssl_bench.errors import LeaseLost, PlainWarning, UserError
from medssl_bench.executors.base import Job, Watchers
from medssl_bench.plan.stage_data import stage_from_data, stage_to_data
from medssl_bench.plugin.component import components_in
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.plugin.watching import Epoch, Outcome, StageInfo
from medssl_bench.stages.records import record_of
from medssl_bench.store.checkpoints import StoredCheckpoints, mark_of
from medssl_bench.store.presence import forget, present
from medssl_bench.store.process import Process
from medssl_bench.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from medssl_bench.plan.stage import Stage
    from medssl_bench.plugin.registry import Registry


def describe(job: Job, stages: Sequence[Stage], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a worker needs to know to run some stages of a job, JSON-able, with absolute paths.

    Args:
        job: the job.
        stages: those that the worker is to run.
        settings: of the `LocalExecutor` in the worker.
    """
    entries = [entry for named in job.registry.entries.values() for entry in named.values()]
    inline = {str(entry.plugin.file.resolve()): entry.plugin.source for entry in entries if entry.plugin.file}
    return {
        "stages": [stage_to_data(stage) for stage in stages],
        "inline": dict(sorted(inline.items())),
        "block": job.watchers.blocked(),
        "store": str(job.store.path.absolute()),
        "data_dir": str(job.context.data_dir.absolute()),
        "cache_dir": str(job.context.cache_dir.absolute()),
        "mirror": job.context.mirror,
        "device": job.device,
        "settings": dict(settings),
    }


def work(given: Mapping[str, Any], watchers: Watchers, *, alone: bool = False) -> list[Outcome]:
    """Run the stages that `describe` has described, in this process.

    Args:
        given: what `describe` returned.
        watchers: called with what happens; a worker passes it on as events.
        alone: whether this process says itself in the store what it needs, since who described the job may be gone.

    Returns:
        How the stages ended; without those that it left, with ``when_held = "leave"`` among the settings.

    Raises:
        UserError: a plugin is not what the plan was made with, or the device is not here.
        Stopped: a stop was asked for.
    """
    from medssl_bench.executors.local import LocalExecutor

    plugins = load_plugins(given["block"])
    for file, source in given["inline"].items():
        plugins.add_inline(Path(file), source)
    stages = [stage_from_data(stage) for stage in given["stages"]]
    _check_components(stages, plugins.registry)
    context = DatasetContext(Path(given["data_dir"]), Path(given["cache_dir"]), given["mirror"])
    job = Job(tuple(stages), plugins.registry, Store(Path(given["store"])), context, given["device"], watchers)
    needed = {key for stage in stages for key in (stage.key, *stage.parents)}
    with present(job.store.path, needed) if alone else nullcontext():
        return LocalExecutor(**given["settings"]).run(job)


def _check_components(stages: Sequence[Stage], registry: Registry) -> None:
    """Raise an error if a component is not what the plan was made with.

    Raises:
        UserError: it is not there, or its source is another.
    """
    for stage in stages:
        for component in components_in(stage.spec.to_data()):
            if registry.find(component.kind, component.name).plugin.source != component.source:
                raise UserError(f"plugin {component.plugin!r} has changed since the plan was made; run again")


def event_of(hook: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event for watchers, JSON-able; `Relay` passes it on."""
    more = {name: value for name, value in arguments.items() if name != "stage"}
    return {"hook": hook, "stage": arguments["stage"].key, **{name: _plain(value) for name, value in more.items()}}


def _plain(value: Epoch | Outcome | str) -> dict[str, Any] | str:
    """Return the fields of what a watcher is given; a stage travels as its key, and `Relay` knows what it is of."""
    if isinstance(value, str):
        return value
    return {name: item for name, item in vars(value).items() if name != "stage"}


@dataclass
class Relay:
    """Passes the events of one worker on to the watchers of a job, each once, however often it is heard.

    An event may have a number ``n``, its own among the worker's: one that has been heard is then left out, as where a
    file of events is read again from its start.

    Args:
        job: the job that the worker has stages of.
        ended: called with the outcome of each stage.
        is_known: whether this run itself computes a stage, so that a wait for it is not reported.

    Attributes:
        at: key of the stage that the worker is at, empty between two; None once it has ended well.
        spoke: whether it has reported a stage.
        was_stopped: whether it reported that it was asked to stop.
    """

    job: Job
    ended: Callable[[Outcome], None]
    is_known: Callable[[str], bool] = lambda _key: False
    at: str | None = ""
    spoke: bool = False
    was_stopped: bool = False
    _heard: set[int] = field(default_factory=set, init=False)
    _stages: dict[str, StageInfo] = field(init=False)

    def __post_init__(self) -> None:
        self._stages = {stage.key: stage.info() for stage in self.job.stages}

    def hear(self, event: Mapping[str, Any]) -> None:
        """Pass an event on.

        Raises:
            UserError: the worker refuses the job.
        """
        number = event.get("n")
        if number is not None:
            if number in self._heard:
                return
            self._heard.add(number)
        if "end" in event:
            self.at = None
        elif "stopped" in event:
            self.was_stopped = True
        elif "refused" in event:
            raise UserError(event["refused"])
        elif "warning" in event:
            known = {kind.__name__: kind for kind in PlainWarning.__subclasses__()}.get(event["category"])
            text = event["warning"] if known else f"{event['category']}: {event['warning']}"
            warnings.warn(text, known or UserWarning, stacklevel=2)
        else:
            self.spoke = True
            self._pass_on(self._stages[event["stage"]], event)

    def _pass_on(self, stage: StageInfo, event: Mapping[str, Any]) -> None:
        hook = event["hook"]
        if hook == "medssl_stage_ends":
            self.at = ""
            self.ended(Outcome(stage, **event["outcome"]))
            return
        if hook == "medssl_stage_waits":
            self.at = ""
            if self.is_known(stage.key):
                return
        else:
            self.at = stage.key
        more = {name: value for name, value in event.items() if name not in {"hook", "stage", "n"}}
        if "epoch" in more:
            more["epoch"] = Epoch(**more["epoch"])
        self.job.watchers.tell(hook, stage=stage, **more)


def this_worker() -> str:
    """Return the name of this process, which no other process of any machine has; `bury` takes it."""
    return str(Process.this())


def is_dead(worker: str) -> bool:
    """Return whether the process of this name has surely ended; of one of another machine nothing is sure."""
    process = Process.parse(worker)
    return process is not None and process.is_dead()


def bury(worker: str, keys: Iterable[str], store: Store) -> list[str]:
    """Free what a worker held that has certainly ended, as a scheduler knows of another machine.

    Args:
        worker: its `this_worker`.
        keys: of the stages that it may have been at.
        store: the store.

    Returns:
        The keys of the stages that it held.
    """
    forget(store.path, worker)
    owners = {key: store.leases.owner(key) or "" for key in keys}
    return [key for key, owner in owners.items() if owner.startswith(f"{worker}-") and store.leases.revoke(key, owner)]


def checkpoint_mark(key: str, store: Store) -> str:
    """Return a text that changes whenever the checkpoint of an unfinished stage does; empty: there is none."""
    return mark_of(store.leases.kept(key))


def tell(outcome: Outcome, job: Job, outcomes: dict[str, Outcome]) -> None:
    """Note the outcome of a stage, and call the watchers."""
    outcomes[outcome.stage.key] = outcome
    job.watchers.tell("medssl_stage_ends", stage=outcome.stage, outcome=outcome)


def record_death(stage: Stage, how: str, job: Job) -> Outcome | None:
    """Record that a worker has died at a stage, in the store.

    Args:
        stage: that it was at.
        how: how it died, such as ``was killed by SIGKILL``.
        job: what the stage is of.

    Returns:
        How the stage has ended; None: it was done, or another process has taken it over.
    """
    reason = f"the worker process {how}"
    record = replace(record_of(stage), status="failed", reason=reason)
    try:
        lease = job.store.leases.acquire(stage.key)
        if lease is None:
            return None
        try:
            if job.store.is_done(stage.key):
                return None
            job.store.fail(record, f"{reason}: there is no traceback\n", lease)
        finally:
            lease.release(keep=StoredCheckpoints.is_in(lease))
    except LeaseLost:
        return None
    except OSError as error:
        reason += f" (not recorded: {' '.join(str(error).split())})"
    return Outcome(stage.info(), "failed", reason=reason)
