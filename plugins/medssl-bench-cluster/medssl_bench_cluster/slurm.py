"""Slurm: sbatch, squeue, scancel and scontrol, and no package of Python."""

from __future__ import annotations

import math
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from medssl_bench.errors import UserError, printable
from medssl_bench_cluster.engine import Cause, Engine, Phase, State, Submission, Unreachable
from medssl_bench_cluster.executor import Cluster

_PROGRAMS = ("sbatch", "squeue", "scancel", "scontrol", "sinfo")
_CHECK_SECONDS, _SECONDS = 10, 50
_WARNING = 90
"""Seconds before its time limit, or its preemption, in which a job saves a checkpoint. Slurm may send the signal a
minute earlier. Without one it sends SIGTERM at the limit itself, and waits half a minute, as it does for jobs of one.
"""

_OVER: Mapping[str, Cause] = {
    "COMPLETED": "",
    "FAILED": "crash",
    "CANCELLED": "cancelled",
    "TIMEOUT": "time",
    "DEADLINE": "time",
    "PREEMPTED": "preempted",
    "OUT_OF_MEMORY": "memory",
    "NODE_FAIL": "lost",
    "BOOT_FAIL": "lost",
    "REVOKED": "lost",
    "LAUNCH_FAILED": "lost",
}
_QUEUED = ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD", "SPECIAL_EXIT")
_HOPELESS = (
    "PartitionTimeLimit", "PartitionNodeLimit", "PartitionConfig", "BadConstraints", "DependencyNeverSatisfied",
    "InvalidAccount", "InvalidQOS", "AccountNotAllowed", "QOSNotAllowed", "AssocMaxWallDurationPerJobLimit",
    "QOSMaxWallDurationPerJobLimit", "AssocMaxCpuPerJobLimit", "QOSMaxCpuPerJobLimit",
)  # fmt: skip
"""Reasons to wait that never go away."""

_NEVER = (
    "not available", "can not be satisfied", "invalid", "Invalid", "not permitted", "unrecognized", "more processors",
    "not support", "exceed", "Unable to open file", "Access denied", "access denied", "unknown option",
)  # fmt: skip
"""What sbatch says of a request that it will never take; anything else may be better later."""


@dataclass(frozen=True, kw_only=True)
class Slurm(Cluster):
    """Stages as jobs of Slurm: each pretraining is one, and short stages share one.

    The same code must be installed on the nodes at the same place, and the store on a disk that they share.
    """

    name: ClassVar[str] = "slurm"

    def engine(self) -> Engine:
        """Return Slurm."""
        return SlurmEngine()


@dataclass(frozen=True)
class _Limits:
    """What a partition has at most.

    Attributes:
        minutes: of a job.
        mem_gb: memory of its largest node, in GiB.
    """

    minutes: float = math.inf
    mem_gb: float = math.inf

    def with_nodes_of(self, other: _Limits | None) -> _Limits:
        """Return the limits where there are the nodes of both."""
        return self if other is None else _Limits(self.minutes, max(self.mem_gb, other.mem_gb))


class SlurmEngine:
    """Slurm, by its commands."""

    def check(self) -> None:
        """See that Slurm answers.

        Raises:
            UserError: its commands are not here, or it does not.
        """
        missing = [name for name in _PROGRAMS if shutil.which(name) is None]
        if missing:
            raise UserError(
                f"{', '.join(missing)}: not on the PATH; run this where jobs are submitted, such as a login node, or "
                "install slurm-client"
            )
        try:
            said = _run(["scontrol", "ping"], seconds=_CHECK_SECONDS)
        except Unreachable as error:
            where = os.environ.get("SLURM_CONF", "its default place")
            raise UserError(f"Slurm does not answer: {error}; is its configuration right ({where})?") from error
        if " UP" not in said:
            raise UserError(f"Slurm's controller is down: {printable(' '.join(said.split()))}")

    def submit(self, submission: Submission) -> str:
        """Submit a job."""
        try:
            said = _run(["sbatch", *self._options(submission)], script=_script(submission))
        except Unreachable as error:
            if any(word in str(error) for word in _NEVER):
                raise UserError(f"sbatch refuses {submission.name}: {error}") from error
            raise
        handle = said.strip().splitlines()[-1].partition(";")[0] if said.strip() else ""
        if not handle.isdecimal():
            raise Unreachable(f"sbatch gave no number of a job: {said!r}")
        return handle

    def _options(self, submission: Submission) -> list[str]:
        asks = submission.resources
        limits = self._limits.get(asks.partition, _Limits())
        minutes = asks.minutes or (asks.wished_minutes and min(asks.wished_minutes, limits.minutes))
        memory = asks.mem_gb or (asks.wished_mem_gb and min(asks.wished_mem_gb, limits.mem_gb))
        warning = _WARNING if minutes is None else min(_WARNING, (minutes - 1) * 30)
        found = {
            "--job-name": submission.name,
            "--output": str(submission.log).replace("%", "%%"),
            "--open-mode": "append",
            "--chdir": str(submission.log.parent),
            "--nodes": "1",
            "--ntasks": "1",
            "--cpus-per-task": str(asks.cpus),
            "--signal": f"B:TERM@{warning}" if warning else "",
            "--time": str(minutes or ""),
            "--mem": f"{memory * 1024:.0f}M" if memory else "",
            "--gpus-per-node": str(asks.gpus or ""),
            "--partition": asks.partition,
            "--account": asks.account,
            "--dependency": "afterany:" + ":".join(submission.after) if submission.after else "",
        }
        given = [f"{name}={value}" for name, value in found.items() if value]
        return ["--parsable", "--no-requeue", "--export=ALL", *given, *asks.options]

    @cached_property
    def _limits(self) -> dict[str, _Limits]:
        """What each partition has; of the default one also under an empty name."""
        found: dict[str, _Limits] = {}
        with suppress(Unreachable):
            for line in _run(["sinfo", "--noheader", "--exact", "--format=%P|%l|%m"]).splitlines():
                partition, _, rest = line.strip().partition("|")
                limit, _, memory = rest.partition("|")
                name = partition.removesuffix("*")
                here = _Limits(_minutes(limit), int(memory) / 1024 if memory.isdecimal() else math.inf)
                found[name] = here.with_nodes_of(found.get(name))
                if partition.endswith("*"):
                    found[""] = found[name]
        return found

    def states(self, handles: Sequence[str]) -> Mapping[str, State]:
        """Return where jobs stand, by one question for all of them."""
        form = "JobID:24,State:32,exit_code:16,PreemptTime:32,Reason:64"
        said = _run(["squeue", "--noheader", "--states=all", "--me", f"--Format={form}"])
        wanted, found = set(handles), {}
        for line in said.splitlines():
            number, _, rest = line.strip().partition(" ")
            if number in wanted:
                found[number] = _state(*rest.split(maxsplit=3))
        return found

    def cancel(self, handles: Sequence[str], *, now: bool = False) -> None:
        """End jobs; those that run get SIGTERM at their batch process alone, which ends by itself."""
        if now:
            _scancel(["--signal=KILL", "--full"], handles)
        else:
            _scancel(["--state=PENDING"], handles)
            _scancel(["--signal=TERM", "--batch", "--state=RUNNING"], handles)


def _scancel(options: list[str], handles: Sequence[str]) -> None:
    with suppress(Unreachable):  # a job may be over, or be none that this concerns
        _run(["scancel", "--quiet", *options, *handles])


def _script(submission: Submission) -> str:
    """Return a job script: one process, in place of the shell, so that signals reach it."""
    settings = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in submission.environment.items())
    return f"#!/bin/sh\n{settings}exec {shlex.join(submission.command)} </dev/null\n"


def _state(name: str, status: str = "0", preempted: str = "N/A", reason: str = "") -> State:
    reason = "" if reason.strip() in {"None", "(null)"} else reason.strip()
    phase: Phase = "over" if name in _OVER else "queued" if name in _QUEUED else "running"
    if name == "COMPLETING" and not reason and preempted == "N/A":  # else Slurm itself ends it
        return State(phase, cause="cancelled")
    if phase != "over":
        return State(phase, reason if phase == "queued" else "", hopeless=phase == "queued" and reason in _HOPELESS)
    cause, how = _OVER[name], name
    number = int(status) if status.isdecimal() else 0
    if name == "FAILED" and number & 0x7F:
        how = f"{name}, {_signal_name(number & 0x7F)}"
        if number & 0x7F in {signal.SIGKILL, signal.SIGTERM}:  # sent by a person, or by the system as memory ran out
            cause = "lost"
    elif name == "FAILED":
        how = f"{name}, status {number >> 8}"
    return State("over", how, cause=cause)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _minutes(limit: str) -> float:
    """Return the minutes of a time as Slurm writes it, ``days-hours:minutes:seconds``; infinite: there is no limit."""
    days, dash, rest = limit.strip().rpartition("-")
    parts = rest.split(":")
    if not all(part.isdecimal() for part in parts) or (dash and not days.isdecimal()):
        return math.inf
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + int(part)
    return (int(days) * 86400 if dash else 0) // 60 + seconds // 60


def _run(command: list[str], *, script: str = "", seconds: float = _SECONDS) -> str:
    """Run one of Slurm's programs, and return what it prints.

    What Slurm has set for a job that this process is in is left out: a job of a job would inherit its limits.

    Raises:
        Unreachable: it fails, or takes too long.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if name == "SLURM_CONF" or not name.startswith(("SLURM_", "SBATCH_", "SQUEUE_", "SCANCEL_", "SINFO_"))
    }
    try:
        done = subprocess.run(  # noqa: S603 - a program of the cluster, and no shell
            command, input=script, capture_output=True, text=True, check=False, timeout=seconds, env=environment,
            start_new_session=True,  # Ctrl-C is for this process alone
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Unreachable(f"{command[0]} gave no answer in {seconds:.0f} s") from error
    except OSError as error:
        raise Unreachable(f"{command[0]}: {error.strerror}") from error
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"status {done.returncode}"
        raise Unreachable(printable(said))
    return done.stdout
