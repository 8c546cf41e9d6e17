"""Python processes for tests that need not import torch again: forked from one that has imported the libraries.

A test that starts Python pays for the imports of torch, torchvision, timm and torchmetrics: about ten seconds of a
processor, which say nothing of this package. `Popen` stands in the place of `subprocess.Popen` in tests that use the
fixture ``prepared_processes``, and asks a server (`prepared.server`) to fork the process. That is a process like any
other: a child of the one that has asked for it, with the arguments, environment, working directory, standard streams,
pipes, process group and signals that were asked for. It imports medssl-bench itself, and ends as Python ends. What the
server has imported is out of sight until it is imported (`prepared.libraries`).

A test about how a process starts, or what it imports, has the mark ``real_processes``; so has one test at least of each
way in which processes are started. With the environment variable ``MEDSSL_TESTS_REAL`` all are real.
"""

from __future__ import annotations

import atexit
import ctypes
import inspect
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Real = subprocess.Popen
"""The one of the standard library."""

SERVER_NAME = "prepared"
"""Name, as the system knows it, of the server that a process has for its own children."""

READY = b"ready"

_PATIENCE = 600.0
"""Seconds for the imports of the server, on a machine that does much else, and for an answer."""

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
_SIGNATURE = inspect.signature(Real._execute_child)  # type: ignore[attr-defined]
_START = "import sys; sys.path.insert(1, {path!r}); from prepared.server import main; del sys.path[1]; main()"

_WHILE_IMPORTING = {
    "OMP_WAIT_POLICY": "PASSIVE",  # as the command sets it before it imports torch
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pyarrow's allocator would start a thread
}

MAY_DIFFER = (
    *("COLUMNS", "CUBLAS_", "FORCE_COLOR", "KMP_", "LINES", "MEDSSL_", "NO_COLOR", "PATH", "PWD", "PYTEST_"),
    *_WHILE_IMPORTING,
)
"""How names of variables begin that no library reads when it is imported."""


class _Server:
    """The server's other end.

    Attributes:
        connection: to it; None: it is not started.
        environment: that it was started with.
        owner: number of the process whose server it is.
    """

    connection: socket.socket | None = None
    environment: Mapping[str, str]
    owner = 0

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.is_possible = sys.platform == "linux" and not Path("/dev/nvidiactl").exists()  # not with a GPU at hand


_server = _Server()


def is_possible() -> bool:
    """Return whether processes are forked here, and not all real."""
    return _server.is_possible and "MEDSSL_TESTS_REAL" not in os.environ


def connect(connection: socket.socket, environment: Mapping[str, str]) -> None:
    """Have `Popen` of this process ask a server that is there."""
    _server.connection, _server.environment, _server.owner = connection, environment, os.getpid()


def descriptor() -> int:
    """Return the descriptor of the connection; -1: there is none."""
    return _server.connection.fileno() if _server.connection else -1


def children(number: int) -> list[int]:
    """Return the numbers of the children of a process, as Linux knows them, without a server."""
    found = map(int, Path(f"/proc/{number}/task/{number}/children").read_text().split())
    return [child for child in found if _name(child) not in {SERVER_NAME, None}]


def _name(number: int) -> str | None:
    try:
        return Path(f"/proc/{number}/comm").read_text().strip()
    except OSError:  # it has just ended
        return None


def _start() -> None:
    """Start the server; where it cannot be, all processes stay real."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environment = dict(os.environ)
    code = _START.format(path=str(Path(__file__).parents[1]))
    server = Real(
        [sys.executable, "-c", code, str(theirs.fileno())],
        env={**environment, **_WHILE_IMPORTING},
        pass_fds=[theirs.fileno()],
        process_group=0,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    theirs.close()
    atexit.register(_end, server, ours, os.getpid())
    ours.settimeout(_PATIENCE)
    if ours.recv(32) == READY:
        connect(ours, environment)
    else:
        _server.is_possible = False


def _end(server: subprocess.Popen[bytes], connection: socket.socket, owner: int) -> None:
    """Let the server end, and with it the last copy of the libraries."""
    if os.getpid() == owner:
        connection.close()
        server.wait()


class Popen(Real):  # type: ignore[type-arg]
    """`subprocess.Popen`, but for how a Python process comes to be."""

    def _execute_child(self, *arguments: Any) -> None:
        given = _SIGNATURE.bind(self, *arguments).arguments
        if not (is_possible() and _can_be_forked(given)):
            super()._execute_child(*arguments)  # type: ignore[misc]
            return
        with _server.turn:
            if _server.connection is None:
                _start()
        if _server.connection is None:
            super()._execute_child(*arguments)  # type: ignore[misc]
            return
        ends = [given[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        streams = [number if end == -1 else end for number, end in enumerate(ends)]
        try:
            self.pid: int = _fork(given, streams)
            self._child_created = True
        finally:
            pipes = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
            self._close_pipe_fds(*(given[name] for name in pipes))  # type: ignore[attr-defined]


def _can_be_forked(given: Mapping[str, Any]) -> bool:
    command = given["args"]
    if not isinstance(command, list) or command[0] != sys.executable or len(command) < 3:
        return False
    words = command[2:] if command[1] == "-P" else command[1:]
    if words[0] not in {"-c", "-m"} or given["executable"] not in {None, sys.executable}:
        return False
    if given["shell"] or given["preexec_fn"] or any(given[name] is not None for name in ("gid", "gids", "uid")):
        return False
    if given["cwd"] is not None and not Path(given["cwd"]).is_dir():
        return False
    if (
        _server.connection is not None and _server.owner != os.getpid()
    ):  # it is the one of the process that this one was forked from
        return False
    known = os.environ if _server.connection is None else _server.environment
    environment = os.environ if given["env"] is None else given["env"]
    return not any(
        known.get(name) != environment.get(name)
        for name in known.keys() | environment.keys()
        if not name.startswith(MAY_DIFFER)
    )


def _fork(given: Mapping[str, Any], streams: list[int]) -> int:
    """Have a process forked, as a child of this one, and return its number."""
    descriptors = [*streams, *given["pass_fds"]]
    command = [str(word) for word in given["args"]]
    group = given["process_group"]
    job = {
        "command": command,
        "environment": dict(os.environ if given["env"] is None else given["env"]),
        "folder": str(given["cwd"] or Path.cwd()),
        "descriptors": [0, 1, 2, *given["pass_fds"]],
        "umask": given["umask"],
        "session": given["start_new_session"],
        "group": os.getpgrp() if group is None or group < 0 else group,
        "ignored": [
            number
            for number in signal.Signals
            if signal.getsignal(number) == signal.SIG_IGN and number not in {signal.SIGPIPE, signal.SIGXFSZ}
        ],
        "mask": [*signal.pthread_sigmask(signal.SIG_BLOCK, [])],
        "serves": command[1] == "-m",
    }
    with _server.turn:
        assert _server.connection is not None
        prctl = ctypes.CDLL(None).prctl
        prctl(_SUBREAPER, 1, 0, 0, 0)
        try:
            socket.send_fds(_server.connection, [json.dumps(job).encode()], descriptors)
            answer = _server.connection.recv(32)
        finally:
            prctl(_SUBREAPER, 0, 0, 0, 0)
    if not answer:
        raise OSError("the server that forks processes has ended")
    return int(answer)
