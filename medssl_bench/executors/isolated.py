"""The isolated executor: stages run in processes of their own, whose death fails one stage and no other."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import warnings
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from io import FileIO
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import OUT_OF_MEMORY, DamageWarning, LeakWarning, LeaseLost, UserError
from medssl_bench.executors.base import Executor, Job
from medssl_bench.executors.local import blocked_by
from medssl_bench.plugin.watching import Epoch, Outcome
from medssl_bench.stopping import STATUS, Stopped
from medssl_bench.store.checkpoints import StoredCheckpoints
from medssl_bench.store.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from medssl_bench.plan.stage import Stage


_START = """
import signal, sys
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C, before the worker has begun, ends it without a traceback
sys.path[:] = sys.argv[2:]
from medssl_bench.executors.worker import main
main()
"""
"""Starts a worker that finds the same packages as this process, and no others: -P keeps out what lies about here, and
the empty entry of `sys.path`, which an interactive Python has for the working directory, is not handed on."""


class IsolatedExecutor(Executor):
    """Runs stages in worker processes: one after the other, or several at a time on one device.

    A worker that dies (killed for its memory, a crash in a library) fails the stage that it was at; the others, or a
    new one, go on with what is left. Workers share the store as runs do: a lease keeps a stage to one of them.

    A stage that runs out of memory beside others is done again when they have ended, alone.

    Args:
        settings: of the `LocalExecutor` in a worker.
        jobs: how many workers there are at a time. They share the cores: each has its part of the threads.
    """

    def __init__(self, settings: Mapping[str, Any], jobs: int = 1) -> None:
        self._settings = dict(settings)
        self._jobs = jobs

    def run(self, job: Job) -> list[Outcome]:
        """Run the stages.

        Raises:
            UserError: the worker refuses the job, or dies before it has begun.
        """
        outcomes: dict[str, Outcome] = {}
        jobs = self._jobs
        while waiting := _waiting(job, outcomes):
            before, number = len(outcomes), min(jobs, len(waiting))
            settings = {**self._settings, "beside_others": number > 1}
            crew = _Crew(job, outcomes, packed=number > 1)
            with ExitStack() as stack:
                for _ in range(number):
                    crew.add(stack.enter_context(_worker(job, waiting, settings, self._jobs)))
                crew.watch()
            deaths = [worker for worker in crew.workers if worker.at is not None]
            if any(worker.process.returncode == STATUS for worker in deaths):  # asked to stop, and this process was not
                raise Stopped
            for worker in deaths:
                crew.bury(worker)
            crew.close()
            if crew.without_memory - outcomes.keys():
                jobs = 1
            elif deaths and len(outcomes) == before and not any(worker.at for worker in deaths):
                how = _how_it_died(deaths[0].process.returncode)
                raise UserError(f"the worker process {how} before it began a stage; --executor local shows why")
        return [outcomes[stage.key] for stage in job.stages]


@dataclass
class _Worker:
    """A worker process and what it says.

    Attributes:
        at: key of the stage that it is at, empty between two; None once it has ended well.
    """

    process: subprocess.Popen[str]
    events: FileIO
    at: str | None = ""
    _begun: bytes = b""

    def lines(self) -> list[bytes]:
        """Return the lines that have come, the last of all being empty; wait for one if there is none."""
        found = self.events.read(2**16)
        if not found:
            return [b""]
        *lines, self._begun = (self._begun + found).split(b"\n")
        return lines


class _Crew:
    """Workers on one job, and what is made of what they say.

    Args:
        job: the stages.
        outcomes: how stages have ended that has been told of; filled.
        packed: whether there are several.

    Attributes:
        without_memory: stages that ran out of memory beside others, to be done again unless another worker did it.
    """

    def __init__(self, job: Job, outcomes: dict[str, Outcome], *, packed: bool) -> None:
        self.workers: list[_Worker] = []
        self.without_memory: set[str] = set()
        self._job, self._outcomes, self._packed = job, outcomes, packed
        self._stages = {stage.key: stage for stage in job.stages}
        self._elsewhere: dict[str, Outcome] = {}

    def add(self, worker: _Worker) -> None:
        """Take in a worker."""
        self.workers.append(worker)

    def watch(self) -> None:
        """Pass on what the workers say until the last has ended.

        Raises:
            UserError: one of them refuses the job.
        """
        with selectors.DefaultSelector() as selector:
            for worker in self.workers:
                selector.register(worker.events, selectors.EVENT_READ, worker)
            while selector.get_map():
                for key, _ in selector.select():
                    speaking: _Worker = key.data
                    if not all(self._goes_on(speaking, line) for line in speaking.lines()):
                        selector.unregister(speaking.events)

    def bury(self, worker: _Worker) -> None:
        """Fail the stage that a dead worker was at, unless it was done, or another one has taken it over."""
        stage = self._stages.get(worker.at or "")
        if stage is None or stage.key in self._outcomes:
            return
        if any(other.at == stage.key and other.process.poll() is None for other in self.workers):
            return
        outcome = _died(stage, _how_it_died(worker.process.returncode), self._job)
        if outcome is not None:
            _tell(outcome, self._job, self._outcomes)

    def close(self) -> None:
        """Tell of what ended elsewhere, once no worker is left that may have done it."""
        for key, outcome in self._elsewhere.items():
            if key not in self._outcomes:
                _tell(outcome, self._job, self._outcomes)

    def _goes_on(self, worker: _Worker, line: bytes) -> bool:
        """Act on a line of a worker; return False at its end."""
        try:
            event = json.loads(line)
        except ValueError:  # there are no more
            self._ended(worker)
            return False
        if "end" in event:
            worker.at = None
            return False
        if "refused" in event:
            raise UserError(event["refused"])
        if "warning" in event:
            known = {kind.__name__: kind for kind in (DamageWarning, LeakWarning)}.get(event["category"])
            text = event["warning"] if known else f"{event['category']}: {event['warning']}"
            warnings.warn(text, known or UserWarning, stacklevel=2)
            return True
        self._pass_on(worker, event)
        return True

    def _ended(self, worker: _Worker) -> None:
        """Deal at once with a worker that has died beside others: they may wait for its stage."""
        worker.process.wait()
        if len(self.workers) > 1 and worker.process.returncode != STATUS:
            self.bury(worker)

    def _pass_on(self, worker: _Worker, event: dict[str, Any]) -> None:
        """Tell watchers of an event of a stage."""
        stage = self._stages[event["stage"]].info()
        if event["hook"] == "medssl_stage_ends":
            worker.at = ""
            self._note(Outcome(stage, **event["outcome"]))
            return
        if event["hook"] == "medssl_stage_waits":
            worker.at = ""
            if any(other.at == stage.key for other in self.workers):  # for one of this crew
                return
        else:
            worker.at = stage.key
        more = {name: value for name, value in event.items() if name not in {"hook", "stage"}}
        if "epoch" in more:
            more["epoch"] = Epoch(**more["epoch"])
        self._job.watchers.tell(event["hook"], stage=stage, **more)

    def _note(self, outcome: Outcome) -> None:
        """Tell how a stage has ended, once; of what another worker may have done, it tells itself."""
        key = outcome.stage.key
        if key in self._outcomes or (self._packed and outcome.status == "blocked"):
            return  # what is blocked is found anew when this crew has ended
        if self._packed and outcome.elsewhere:
            self._elsewhere[key] = outcome
        elif self._packed and outcome.status == "failed" and outcome.reason.startswith(OUT_OF_MEMORY):
            self.without_memory.add(key)
        else:
            _tell(outcome, self._job, self._outcomes)


def _waiting(job: Job, outcomes: dict[str, Outcome]) -> list[Stage]:
    """Return the stages that have not ended, and tell of those that are blocked now."""
    found = []
    for stage in job.stages:
        if stage.key in outcomes:
            continue
        reason = blocked_by(stage, outcomes)
        if reason:
            _tell(Outcome(stage.info(), "blocked", reason=reason), job, outcomes)
        else:
            found.append(stage)
    return found


def _tell(outcome: Outcome, job: Job, outcomes: dict[str, Outcome]) -> None:
    outcomes[outcome.stage.key] = outcome
    job.watchers.tell("medssl_stage_ends", stage=outcome.stage, outcome=outcome)


@contextmanager
def _worker(job: Job, stages: Sequence[Stage], settings: Mapping[str, Any], jobs: int) -> Iterator[_Worker]:
    """Give a worker; at the end it is waited for, or stopped if it is asked for."""
    read, write = os.pipe()
    process = subprocess.Popen(  # noqa: S603 - this very program
        [sys.executable, "-P", "-c", _START, str(write), *filter(None, sys.path)],
        stdin=subprocess.PIPE,
        pass_fds=[write],
        text=True,
        env={**os.environ, **_threads(jobs)},
    )
    os.close(write)
    assert process.stdin is not None
    with FileIO(read) as events, process.stdin:
        try:
            with suppress(BrokenPipeError):  # it died before it had read: there are no events then
                process.stdin.write(json.dumps(_given(job, stages, settings)) + "\n")
                process.stdin.flush()
            yield _Worker(process, events)
            process.wait()
        except BaseException:
            _stop(process)
            raise


def _threads(jobs: int) -> dict[str, str]:
    """Return the environment in which each of several workers has its part of the cores, if nobody has settled that."""
    if jobs == 1 or "OMP_NUM_THREADS" in os.environ:
        return {}
    # those that a scheduler or a container lets this process use, where the system tells
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {"OMP_NUM_THREADS": str(max(1, cores // jobs))}


def _stop(process: subprocess.Popen[str]) -> None:
    """Let a worker save a checkpoint and end; a second request to stop ends it at once."""
    process.terminate()
    try:
        process.wait()
    finally:
        process.kill()
        process.wait()


def _given(job: Job, stages: Sequence[Stage], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a worker needs to know."""
    entries = [entry for named in job.registry.entries.values() for entry in named.values()]
    inline = {str(entry.plugin.file.resolve()): entry.plugin.source for entry in entries if entry.plugin.file}
    return {
        "stages": [asdict(stage) for stage in stages],
        "inline": dict(sorted(inline.items())),
        "block": job.watchers.blocked(),
        "store": str(job.store.path),
        "data_dir": str(job.context.data_dir),
        "cache_dir": str(job.context.cache_dir),
        "mirror": job.context.mirror,
        "device": job.device,
        "settings": dict(settings),
    }


def _how_it_died(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was killed by {name}" + (" (too little memory?)" if name == "SIGKILL" else "")


def _died(stage: Stage, how: str, job: Job) -> Outcome | None:
    """Record that a worker has died at a stage; None: it had done it, or another process has taken it over."""
    reason = f"the worker process {how}"
    spec = {**stage.spec, "parents": list(stage.parents)}
    scale = stage.spec["epochs_scale"]
    record = Record(
        stage.key, stage.kind, stage.title, "failed", stage.identity, epochs_scale=scale, reason=reason, spec=spec
    )
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
