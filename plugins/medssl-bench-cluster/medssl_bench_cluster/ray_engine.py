"""Ray: jobs are detached actors, each of which has a process; a process of its own talks to Ray."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, ClassVar

from medssl_bench.errors import UserError, printable
from medssl_bench_cluster.engine import Engine, State, Submission, Unreachable
from medssl_bench_cluster.executor import Cluster

_CONNECT, _CHECK, _SECONDS = 5, 30, 50
_START = "import sys; sys.path[:] = sys.argv[1:]; from medssl_bench_cluster.ray_client import main; main()"
_LONGEST = 300
"""Characters of what Ray says."""

_WARNINGS = {
    "ray security": "who can reach the ports of Ray can run any code there and read its data; on all nodes, "
    "RAY_AUTH_MODE=token with a token, or a firewall, keeps others out",
    "ray usage statistics": "Ray sends them to its makers unless its head was started with --disable-usage-stats",
}
"""What `doctor` says whenever there is an address."""


@dataclass(frozen=True, kw_only=True)
class Ray(Cluster):
    """Stages as processes that Ray places: each pretraining is one, and short stages share one.

    The same code must be installed on the nodes at the same place, and the store on a disk that they share. Ray knows
    no minutes, partitions and accounts. A job asks for the cores, the GPUs and the memory that Ray counts, and as
    `options` for resources of other names, such as ``a100=1``.

    Args:
        address: of the head of the cluster, ``HOST:PORT``; by default what ``RAY_ADDRESS`` says.
    """

    name: ClassVar[str] = "ray"
    limits_time: ClassVar[bool] = False

    address: str | None = None

    def __post_init__(self) -> None:
        """See that nothing is asked for that Ray has not.

        Raises:
            ValueError: jobs of Ray cannot wait for others without a driver.
        """
        if self.detach:
            raise ValueError("detach: a job of Ray cannot wait for others; start the run in tmux instead")

    @property
    def _head(self) -> str:
        return self.address or os.environ.get("RAY_ADDRESS", "")

    def engine(self) -> Engine:
        """Return Ray."""
        return RayEngine(self._head)

    def component(self) -> dict[str, Any]:
        """Return the executor with the address of its cluster, so that `medssl-bench jobs` finds it."""
        return {**super().component(), "address": self._head}

    def health(self) -> list[tuple[str, str, bool]]:
        """Return whether Ray answers, and what of it a user should know; nothing where there is no address."""
        if not self._head:
            return []
        try:
            self.engine().check()
            found, good = f"version {version('ray')} answers at {self._head}", True
        except UserError as error:
            found, good = str(error), False
        return [("ray", found, good), *((name, text, True) for name, text in _WARNINGS.items())]


class RayEngine:
    """Ray, by a process that talks to it.

    Args:
        address: of the head, ``HOST:PORT``.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._client: subprocess.Popen[bytes] | None = None

    def check(self) -> None:
        """See that Ray answers.

        Raises:
            UserError: it is not installed, where its head is was not said, or it does not answer.
        """
        if find_spec("ray") is None:
            raise UserError("Ray is not installed here: pip install 'medssl-bench-cluster[ray]'")
        host, _, port = self._address.rpartition(":")
        if not (host and "/" not in host and port.isdecimal()):
            said = f"{self._address!r} is none" if self._address else "RAY_ADDRESS is not set"
            raise UserError(
                f"executor ray: where is the head of the cluster ({said})? Give HOST:PORT as RAY_ADDRESS or by "
                "--executor-set address=HOST:PORT"
            )
        try:
            self._ask("check", seconds=_CHECK)
        except Unreachable as error:
            where = "start the run on a node of the cluster"
            raise UserError(f"Ray does not answer at {self._address}: {error}; {where}") from error

    def submit(self, submission: Submission) -> str:
        """Have an actor placed that starts the process."""
        return str(
            self._ask(
                "submit", name=submission.name, command=submission.command, log=str(submission.log),
                environment=dict(submission.environment), asks=_asks(submission),
                wished_memory=(submission.resources.wished_mem_gb or 0.0) * 2**30,
            )
        )  # fmt: skip

    def states(self, handles: Sequence[str]) -> Mapping[str, State]:
        """Return where jobs stand."""
        return {handle: _state(*known) for handle, known in self._ask("states", handles=list(handles)).items()}

    def cancel(self, handles: Sequence[str], *, now: bool = False) -> None:
        """End jobs."""
        self._ask("cancel", handles=list(handles), now=now)

    def _ask(self, verb: str, *, seconds: float = _SECONDS, **given: Any) -> Any:
        """Return the answer to a question.

        Raises:
            UserError: Ray can never do it.
            Unreachable: there is no answer.
        """
        try:
            client = self._client or self._connect()
            assert client.stdin is not None
            assert client.stdout is not None
            client.stdin.write(json.dumps([verb, self._address, given]).encode() + b"\n")
            client.stdin.flush()
            line = client.stdout.readline() if select.select([client.stdout], [], [], seconds)[0] else b""
            if not line:
                raise Unreachable("Ray has ended the connection, or gives no answer")  # noqa: TRY301 - as the others
        except BaseException as error:  # an answer that comes later would be taken for that to another question
            self._close()
            if isinstance(error, OSError):
                raise Unreachable(f"{error.strerror or error}") from error
            raise
        answer = json.loads(line)
        if "never" in answer:
            raise UserError(f"Ray cannot do it: {answer['never']}")
        if "error" in answer:
            self._close()
            raise Unreachable(printable(answer["error"])[:_LONGEST])
        return answer["answer"]

    def _connect(self) -> subprocess.Popen[bytes]:
        """Start the process, once the head is seen to listen: Ray itself waits for a minute."""
        host, _, port = self._address.rpartition(":")
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT).close()
        self._client = subprocess.Popen(  # noqa: S603 - this Python, and no shell
            [sys.executable, "-P", "-c", _START, *(path for path in sys.path if path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
            start_new_session=True,  # Ctrl-C is for this process alone
        )  # fmt: skip
        weakref.finalize(self, _end, self._client)
        return self._client

    def _close(self) -> None:
        if self._client is not None:
            _end(self._client)
            self._client = None


def _end(client: subprocess.Popen[bytes]) -> None:
    client.kill()
    for pipe in (client.stdin, client.stdout):
        with suppress(OSError):
            pipe.close()  # type: ignore[union-attr] # it has both
    client.wait()


def _asks(submission: Submission) -> dict[str, float]:
    """Return what a job asks for, by Ray's names.

    Raises:
        UserError: Ray does not have that.
    """
    resources = submission.resources
    for name in ("minutes", "partition", "account"):
        if getattr(resources, name):
            raise UserError(f"executor ray: {name}: Ray knows none; leave it out")
    found = {"CPU": float(resources.cpus), "GPU": float(resources.gpus), "memory": (resources.mem_gb or 0.0) * 2**30}
    for option in resources.options:
        name, _, amount = option.partition("=")
        try:
            found[name] = float(amount)
        except ValueError as error:
            raise UserError(f"executor ray: options: expected NAME=NUMBER, not {option!r}") from error
    return {name: amount for name, amount in found.items() if amount}


def _state(phase: Any, why: str, cause: Any) -> State:
    if cause != "status":
        return State(phase, printable(why)[:_LONGEST], cause=cause)
    status = int(why)
    if status >= 0:
        return State(phase, f"status {status}" if status else "", cause="crash" if status else "")
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return State(phase, name, cause="lost" if -status in {signal.SIGKILL, signal.SIGTERM} else "crash")
