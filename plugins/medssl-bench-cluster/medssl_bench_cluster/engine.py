"""What a cluster is to this package: an engine that places processes, by four verbs.

No result travels through an engine, and nothing that it says is believed where the store knows better. So an engine may
lose jobs and answers, and an adapter for another one is small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

Phase = Literal["queued", "running", "over"]
Cause = Literal["", "memory", "time", "preempted", "cancelled", "lost", "crash"]


class Unreachable(Exception):
    """The engine gives no answer now, or takes no more jobs for the moment: it will be asked again."""


@dataclass(frozen=True)
class Resources:
    """What a job asks for.

    Attributes:
        cpus: cores, and the number of threads that compute, which decides the last digits of results.
        gpus: devices.
        mem_gb: memory in GiB, as the user says; None: what the cluster gives.
        minutes: time after which the cluster may end the job, as the user says. One that is too short costs a restart
            from the last checkpoint.
        wished_minutes: the same by an estimate, which an engine cuts to what it allows; `minutes` counts before it.
        partition: of the cluster; empty: its default.
        account: that is billed; empty: the user's default.
        options: further options, in the engine's own words.
        wished_mem_gb: memory by an estimate, which an engine cuts to what its largest node has; `mem_gb` counts before
            it.
    """

    cpus: int = 4
    gpus: int = 0
    mem_gb: float | None = None
    minutes: int | None = None
    wished_minutes: int | None = None
    partition: str = ""
    account: str = ""
    options: tuple[str, ...] = ()
    wished_mem_gb: float | None = None


@dataclass(frozen=True)
class Submission:
    """A process to be placed, once.

    Attributes:
        name: for people, of letters, digits and hyphens.
        command: the program and its arguments; it needs no shell, no input and no particular working directory.
        environment: variables to set beside those that this process has; they hold no secret.
        resources: what it needs.
        log: file that its output is appended to, on a shared disk.
        after: handles of jobs that must be over, well or not, before it starts.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    resources: Resources = field(default_factory=Resources)
    environment: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """Where a job stands.

    Attributes:
        phase: ``queued``, ``running`` or ``over``.
        why: in the engine's words, why it waits or how it ended.
        hopeless: whether it waits for something that can never be.
        cause: of one that is over, what the worker itself cannot have said: it had too little ``memory`` or ``time``,
            was ``preempted`` or ``cancelled``, its node was ``lost``, or it ended by itself with an error (``crash``).
            Of one that is ending, ``cancelled`` if a process that is still at work in it was cancelled by a person.
    """

    phase: Phase
    why: str = ""
    hopeless: bool = False
    cause: Cause = ""


class Engine(Protocol):
    """What places processes: Slurm, Ray, or any other; none of its methods takes longer than a minute."""

    def check(self) -> None:
        """See that the engine can be used, in 10 seconds at most.

        Raises:
            UserError: it cannot, with what to do.
        """

    def submit(self, submission: Submission) -> str:
        """Have a process placed, and return a handle by which any process of the user finds it again.

        Raises:
            UserError: it will never be placed.
            Unreachable: it may be later.
        """

    def states(self, handles: Sequence[str]) -> Mapping[str, State]:
        """Return where jobs stand; one that the engine does not know any more is over, and left out.

        Raises:
            Unreachable: the engine gives no answer.
        """

    def cancel(self, handles: Sequence[str], *, now: bool = False) -> None:
        """End jobs: those that wait at once, those that run by SIGTERM, so that they save a checkpoint.

        Args:
            handles: of jobs, some of which may be over.
            now: whether to kill those that run.

        Raises:
            Unreachable: the engine gives no answer.
        """
