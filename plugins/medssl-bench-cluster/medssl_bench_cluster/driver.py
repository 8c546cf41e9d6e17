"""The driver: submits the units of a run as their parents end, follows their jobs, and says how each stage ended.

The store is the truth. What workers and the engine say decides when the store is looked at, and what is done about a
worker that has died.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import PlainWarning, UserError
from medssl_bench.stopping import Stopped, stop_if_asked
from medssl_bench_cluster.ends import Ends
from medssl_bench_cluster.engine import Unreachable
from medssl_bench_cluster.fate import Verdict, verdict
from medssl_bench_cluster.followed import Followed
from medssl_bench_cluster.leaving import PATIENCE, cancel_and_wait
from medssl_bench_cluster.ledger import Ledger
from medssl_bench_cluster.submitting import Submitter
from medssl_bench_cluster.units import Unit, units_of

if TYPE_CHECKING:
    from medssl_bench.executors import Job
    from medssl_bench.plan.stage import Stage
    from medssl_bench.plugin.watching import Outcome
    from medssl_bench_cluster.engine import Engine
    from medssl_bench_cluster.ledger import Notes
    from medssl_bench_cluster.settings import Settings

_TICK = 1.0
"""Seconds between two looks at what workers say."""

_SLOWEST = 6
"""How many times `poll_seconds` the engine is left alone at most, while nothing changes."""

_TAKEOVER = 3
"""How many times `lag_seconds` a driver of another machine has to submit again, before this one does."""

_LAST_WORDS = 5.0
"""Seconds that a worker's last words may be on their way, once its job is over."""

_SILENCE = 120.0
"""Seconds without an answer of the engine after which there is a warning."""


class ClusterWarning(PlainWarning):
    """Something about the jobs of a run that a user should know."""


class Driver:
    """Has a run done by the jobs of an engine.

    Args:
        job: the run.
        engine: what places its jobs.
        settings: how.
        clock: the time, in seconds.
        pause: waits.
    """

    def __init__(
        self,
        job: Job,
        engine: Engine,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._job, self._engine, self._settings = job, engine, settings
        self._clock, self._pause = clock, pause
        self._ledger = Ledger(job.store.path)
        self._submitter = Submitter(job, engine, settings)
        self._ends = Ends(job, settings.lag_seconds, clock)
        self._keys = {stage.key for stage in job.stages}
        self._out: list[Followed] = []
        self._waiting: list[Unit] = []
        self._wait, self._next = settings.poll_seconds, 0.0
        self._silent_since: float | None = None

    def run(self) -> list[Outcome]:
        """Run the stages, and return how each ended.

        Raises:
            UserError: the engine cannot be used, a unit asks for what the cluster does not have, or no worker can
                begin.
            Stopped: a stop was asked for, and the jobs have saved checkpoints; or jobs go on without this process.
        """
        self._engine.check()
        self._job.store.prepare()
        self._ends.settle(self._job.stages)
        self._adopt()
        self._waiting = self._units()
        try:
            if self._settings.detach:
                self._detach()
            while not self._ends.are_all_known:
                self._turn()
        except BaseException as error:
            self._leave(cancel=isinstance(error, KeyboardInterrupt | UserError) and not self._settings.detach)
            raise
        self._leave(cancel=False)
        return [self._ends.known[stage.key] for stage in self._job.stages]

    def _adopt(self) -> None:
        """Follow the jobs that an earlier driver, or another one, has submitted for stages of this run.

        Raises:
            UserError: they are jobs of another engine.
        """
        left = {stage.key: stage for stage in self._ends.left(self._job.stages)}
        for notes in self._ledger.open():
            known = notes.job()
            stages = tuple(left[key] for key in known.get("keys", ()) if key in left)
            if not stages:
                self._close_finished(notes, known)
                continue
            if (name := known.get("executor", {}).get("name")) != self._settings.executor["name"]:
                raise UserError(
                    f"unit {notes.unit} is with the executor {name!r}: follow it with --executor {name}, or end it "
                    "with medssl-bench jobs --cancel"
                )
            self._out.append(Followed(Unit(stages), notes, self._job, self._ends.hear))

    def _units(self) -> list[Unit]:
        """Return the units of the stages that have no job."""
        followed = {key for followed in self._out for key in followed.unit.keys}
        rest = [stage for stage in self._ends.left(self._job.stages) if stage.key not in followed]
        return units_of(rest, self._settings.seconds, self._settings.pack_seconds)

    def _close_finished(self, notes: Notes, known: Mapping[str, Any]) -> None:
        """Close the notes of a job whose stages have all ended, though no driver followed it to its end."""
        store = self._job.store
        if all(store.is_done(key) or store.failure(key) for key in known.get("keys", ())) and notes.claim():
            notes.close()

    def _turn(self) -> None:
        """Hear workers, look at jobs, and submit what can be submitted."""
        stop_if_asked()
        for followed in self._out:
            if followed.hear():  # its job is over soon
                self._wait = self._settings.poll_seconds
                self._next = min(self._next, self._clock() + _TICK)
        self._ends.see()
        if self._clock() >= self._next:
            self._look()
        self._submit_ready()
        if not self._ends.are_all_known:
            self._pause(min(_TICK, self._settings.poll_seconds))

    def _look(self) -> None:
        """Ask the engine where the jobs stand, and deal with those that are over."""
        known = {followed.handle.handle: followed for followed in self._out if followed.handle is not None}
        self._next = self._clock() + self._settings.poll_seconds
        try:
            states = self._engine.states(list(known)) if known else {}
        except Unreachable as error:
            self._tell_of_silence(error)
            return
        self._silent_since = None
        before = [followed.state for followed in self._out]
        for handle, followed in known.items():
            followed.stands(states.get(handle), self._clock())
            if followed.state.hopeless:
                why = followed.state.why
                raise UserError(f"{followed.unit.title}: its job can never start ({why}): change what it asks for")
        is_quiet = before == [followed.state for followed in self._out]
        for followed in list(self._out):
            if followed.handle is None or followed.over_since is not None:
                is_quiet = False
                self._go_on(followed)
        poll = self._settings.poll_seconds
        self._wait = min(self._wait * 1.5, poll * _SLOWEST) if is_quiet else poll
        self._next = self._clock() + self._wait

    def _tell_of_silence(self, error: Unreachable) -> None:
        """Say once that the engine has given no answer for a while; the jobs go on, and it is asked again."""
        now = self._clock()
        if self._silent_since is None:
            self._silent_since = now
        elif now - self._silent_since > _SILENCE:
            self._silent_since = float("inf")
            warnings.warn(f"the cluster gives no answer: {error}; it is asked again", ClusterWarning, stacklevel=2)

    def _go_on(self, followed: Followed) -> None:
        """Deal with a unit whose job is over: it has ended, is submitted again, or one of its stages has failed."""
        over, lag = followed.over_for(self._clock()), self._settings.lag_seconds
        followed.hear()
        self._ends.see()
        if self._ends.are_late(followed.unit):
            return
        self._ends.settle(followed.unit.stages)
        left, newer = self._ends.left(followed.unit.stages), followed.notes.handle()
        if not left:
            self._close(followed)
        elif newer is not None and newer != followed.handle:  # of another driver, or of the worker itself
            followed.submitted(newer)
        elif followed.handle and not followed.has_closed and over < min(_LAST_WORDS, lag):
            return
        elif followed.notes.claim(force=over > _TAKEOVER * lag):
            self._judge(followed, left)

    def _judge(self, followed: Followed, left: list[Stage]) -> None:
        """Do what is to be done about a job that is over with stages left to do.

        Raises:
            UserError: no worker can begin, or the engine will never take the job.
        """
        if followed.handle is not None and followed.again is None:
            found = verdict(followed.ending())
            if found.what == "cancelled" and followed.ended_before:  # who runs the suite again wants it by now
                found = Verdict("again")
            at = left[0] if followed.has_closed else followed.bury(left)
            last = "" if followed.has_closed else followed.notes.last_lines()
            how = found.how + (f"; its last lines: {last}" if last else "")
            if found.what == "refuse":
                self._close(followed)
                raise UserError(f"{followed.unit.title}: the worker process {how}")
            if found.what == "cancelled":
                self._ends.cancelled(left, how)
            elif found.what == "failed":
                self._ends.died(at, how)
            followed.again = found.fruitless
            left = self._ends.left(left)
        if not left:
            self._close(followed)
        elif not self._ends.are_done(followed.unit.parents & self._keys):
            self._close(followed)
            self._waiting = self._units()
        elif not all(self._job.store.leases.is_held(stage.key) for stage in left):  # else a job would find nothing
            self._submitter.submit(followed, left, followed.again or 0)

    def _close(self, followed: Followed) -> None:
        followed.notes.close()
        self._out.remove(followed)

    def _submit_ready(self) -> None:
        """Submit units whose parents are done, the pretrainings first and then the longest."""
        room = self._settings.max_jobs - len(self._out)
        if room <= 0 or not self._waiting:
            return
        self._waiting = [unit for unit in self._waiting if self._ends.left(unit.stages)]  # the others are blocked
        ready = [unit for unit in self._waiting if self._ends.are_done(unit.parents & self._keys)]
        ready.sort(key=lambda unit: (unit.stages[0].kind != "pretrain", -unit.seconds))
        chosen = {unit.id for unit in ready[:room]}
        self._waiting = [unit for unit in self._waiting if unit.id not in chosen]
        for unit in ready[:room]:
            self._begin(unit)

    def _begin(self, unit: Unit, after: Iterable[str] = ()) -> Followed:
        """Submit a unit for the first time, unless another driver has done so just now."""
        followed = Followed(unit, self._ledger.notes(unit.id), self._job, self._ends.hear)
        self._out.append(followed)
        followed.notes.folder.mkdir(parents=True, exist_ok=True)
        if followed.handle is None and followed.notes.claim():
            self._submitter.submit(followed, self._ends.left(unit.stages), after=tuple(after))
        return followed

    def _detach(self) -> None:
        """Submit all units, each after those that it builds on, and go.

        Raises:
            Stopped: always.
        """
        self._look()
        while any(followed.over_since is not None for followed in self._out):  # it is submitted again, or ends here
            self._pause(_TICK)
            self._look()
        self._waiting = self._units()
        handles = {key: f.handle.handle for f in self._out if f.handle for key in f.unit.keys}
        room = max(self._settings.max_jobs - len(self._out), 0)
        for number, unit in enumerate(self._waiting[:room]):
            followed = self._begin(unit, sorted({handles[key] for key in unit.parents if key in handles}))
            if followed.handle is None:  # the engine takes no more
                room = number
                break
            handles |= dict.fromkeys(unit.keys, followed.handle.handle)
        left = len(self._waiting[room:])
        more = f"; {left} more units wait: run the same command again for them" if left else ""
        text = f"{len(set(handles.values()))} jobs go on without this process: medssl-bench jobs shows them{more}"
        warnings.warn(text, ClusterWarning, stacklevel=2)
        raise Stopped

    def _leave(self, *, cancel: bool) -> None:
        """Let other processes follow the jobs that are left, or end them; what is finished is ended anyway."""
        alone = [f for f in self._out if self._keys.issuperset(f.notes.job().get("keys", ()))]  # of no other run
        ours = [f for f in alone if f.handle and f.notes.claim()]
        finished = [f for f in ours if not self._ends.left(f.unit.stages)]
        unheard = [f for f in finished if not f.has_closed]  # the others end by themselves
        jobs = [(f.notes, f.handle.handle) for f in (ours if cancel else unheard) if f.handle]
        try:
            cancel_and_wait(self._engine, jobs, PATIENCE if cancel else 0.0, self._pause)
            for followed in finished:
                followed.notes.close()
        finally:
            for followed in self._out:
                followed.notes.release()
