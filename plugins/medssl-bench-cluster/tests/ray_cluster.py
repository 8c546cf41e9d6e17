"""A private Ray of a head and two nodes on this machine: real processes, each node in a session of its own.

The head has no cores, each node has one, and the second node has a thing that Ray knows no name for, ``scanner``.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

MISSING = "" if find_spec("ray") else "Ray is not installed here: pip install 'medssl-bench-cluster[ray]'"
NODES = {"n1": "{}", "n2": '{"scanner": 1}'}

_SETTINGS = {"RAY_health_check_initial_delay_ms": "5000", "RAY_health_check_period_ms": "1000"}
_SETTINGS |= {"RAY_health_check_failure_threshold": "8", "RAY_raylet_start_wait_time_s": "120"}
_SETTINGS |= {"RAY_worker_niceness": "0"}
"""A lost node is told in ten seconds, one that starts on a busy machine has two minutes, and jobs are not slowed."""

_STARTS, _TOO_BUSY = 4, "The current node timed out during startup"


class RayCluster:
    """A running Ray.

    Args:
        folder: of its files; its path is short, as sockets lie in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = ""
        self._token = secrets.token_hex(16)  # Ray listens where others may reach it, and runs whatever it is sent
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}

    def mend(self) -> None:
        """Start what is not there: all, or a node that was lost."""
        if "head" not in self._nodes:
            with socket.socket() as found:
                found.bind(("127.0.0.1", 0))
                port = found.getsockname()[1]
            files = ("--temp-dir", str(self.folder / "t"), "--include-dashboard", "false")
            log = self._start("head", "--head", "--port", str(port), "--num-cpus", "0", *files)
            self.address = re.search(r"--address='([^']+)'", log)[1]
        for name, others in NODES.items():  # one after the other: two that start at once on a busy machine time out
            if name not in self._nodes:
                has = ("--num-cpus", "1", "--num-gpus", "0", "--resources", others)
                self._start(name, "--address", self.address, *has)

    @contextmanager
    def node_without_memory(self) -> Iterator[None]:
        """Have a node inside the block whose memory Ray takes for full; it alone has ``full``."""
        has = ("--num-cpus", "1", "--num-gpus", "0", "--resources", '{"full": 1}')
        self._start("n3", "--address", self.address, *has, RAY_memory_usage_threshold="0.001")
        try:
            yield
        finally:
            self.lose("n3")

    def _start(self, name: str, *options: str, **settings: str) -> str:
        """Start a node, and return what Ray said of it; on a busy machine Ray gives up after half a minute."""
        log = self.folder / f"{name}.log"
        for _ in range(_STARTS):
            with log.open("wb") as out:
                # --block: the process is the node, and its session dies with it; `ray stop` would stop every Ray here
                process = subprocess.Popen(
                    [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats",
                     "--object-store-memory", "80000000", *options],
                    stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True,
                    env=self.environment() | _SETTINGS | settings,
                )  # fmt: skip
            self._nodes[name] = process
            while process.poll() is None:
                if "Ray runtime started" in (said := log.read_text()):
                    return said
                time.sleep(0.1)
            self.lose(name)
        if _TOO_BUSY in log.read_text():
            pytest.skip(f"this machine is too busy for Ray, which gave up {_STARTS} times")
        raise RuntimeError(f"{name} did not start\n{log.read_text()[-2000:]}")

    def lose(self, name: str) -> None:
        """Lose a node with all that is on it, as by a power cut."""
        node = self._nodes.pop(name)
        for number in _session(node.pid):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        node.wait()

    def node_of(self, process: int) -> str:
        """Return the node that a process is on."""
        session = os.getsid(process)
        return next(name for name, node in self._nodes.items() if node.pid == session)

    def environment(self) -> dict[str, str]:
        """Return the environment of a user of it."""
        return {
            **os.environ, "RAY_ADDRESS": self.address, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self._token
        }  # fmt: skip

    def stop(self) -> None:
        """End it."""
        for name in list(self._nodes):
            self.lose(name)


def _session(leader: int) -> list[int]:
    """Return the processes of a session."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                if os.getsid(int(folder.name)) == leader:
                    found.append(int(folder.name))
    return found


@contextmanager
def running_ray() -> Iterator[RayCluster]:
    """Give a Ray of a head and two nodes."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # the path of a socket is short
    cluster = RayCluster(folder)
    try:
        cluster.mend()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
