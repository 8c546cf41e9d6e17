"""The server: a process that has imported the libraries, and forks one for each request."""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import gc
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from prepared import processes
from prepared.libraries import Libraries

LIBRARIES = (
    *("typing_extensions", "packaging", "packaging.version", "click", "pluggy", "platformdirs", "filelock"),
    *("pydantic", "rich", "rich.console", "rich.table", "rich.live", "rich.progress", "markupsafe", "jinja2"),
    *("yaml", "numpy", "PIL.Image", "dateutil", "pandas", "scipy", "scipy.sparse", "scipy.stats", "scipy.signal"),
    *("sklearn", "sklearn.decomposition", "sklearn.manifold", "sklearn.neighbors", "matplotlib.pyplot"),
    *("huggingface_hub", "safetensors", "torch", "torchvision", "safetensors.torch", "timm", "kornia", "torchmetrics"),
)
"""In the order of what needs what."""

_NAME = 15  # PR_SET_NAME of prctl(2)
_BLOCKED = set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}


def main() -> None:
    """Serve until the process that has started this one ends; in each that is forked, do what it was asked for."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    path, environment = sys.path[1:], dict(os.environ)
    signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED)
    libraries = Libraries(LIBRARIES)
    atexit.register(libraries.leave)
    gc.collect()
    gc.freeze()  # so that looking for rubbish copies no memory
    _only_thread()
    connection.send(processes.READY)
    job, descriptors = _serve(connection)
    if job["serves"]:  # it will start such processes of its own: they need to be forked as this one was
        theirs, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork():
            theirs.close()
            processes.connect(ours, environment)
            subprocess.Popen = processes.Popen  # type: ignore[misc]
        else:
            ours.close()
            os.setpgid(0, 0)
            ctypes.CDLL(None).prctl(_NAME, processes.SERVER_NAME.encode(), 0, 0, 0)
            for descriptor in descriptors:
                os.close(descriptor)
            job, descriptors = _serve(theirs)
    libraries.begin()
    libc = ctypes.CDLL(None)
    libc.on_exit(libc._exit, None)  # libraries in C clean up for long, also those that are out of sight
    _become(job, descriptors, path)
    _run(job["command"])


def _only_thread() -> None:
    """Make sure that no library has started a thread: a fork would copy its locks, and not the thread."""
    threads = [(thread / "comm").read_text() for thread in Path("/proc/self/task").iterdir()]
    assert len(threads) == 1, threads


def _serve(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Fork a process for each request, and return, in that process, what is asked of it.

    It is forked twice: the process between ends, and the one that has asked for it, a subreaper at that moment, becomes
    its parent.
    """
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, 2**20, 64)
        if not message:
            os._exit(0)
        read, write = os.pipe()
        between = os.fork()
        if between == 0:
            between = os.getpid()
            number = os.fork()
            if number:
                os.write(write, str(number).encode())
                os._exit(0)
            for descriptor in (read, write, connection.detach()):
                os.close(descriptor)
            while os.getppid() == between:
                time.sleep(0.0005)
            return json.loads(message), descriptors
        os.waitpid(between, 0)
        connection.send(os.read(read, 32))
        for descriptor in (read, write, *descriptors):
            os.close(descriptor)


def _become(job: Mapping[str, Any], descriptors: list[int], path: list[str]) -> None:
    """Make this process what was asked for; signals come last, and those that have come meanwhile are heard then."""
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 1000) for descriptor in descriptors]
    own = processes.descriptor()
    for open_file in list(Path("/proc/self/fd").iterdir()):
        if int(open_file.name) not in {*high, own}:
            with suppress(OSError):  # the one that listed them
                os.close(int(open_file.name))
    for descriptor, number in zip(high, job["descriptors"], strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)
    ctypes.CDLL(None).prctl(_NAME, Path(sys.executable).name.encode(), 0, 0, 0)
    os.chdir(job["folder"])
    if job["umask"] >= 0:
        os.umask(job["umask"])
    os.environ.clear()
    os.environ.update(job["environment"])
    if job["session"]:
        os.setsid()
    else:
        os.setpgid(0, job["group"])
    for number in _BLOCKED:
        if signal.getsignal(number) not in {signal.SIG_IGN, None} or number in job["ignored"]:
            signal.signal(number, signal.SIG_IGN if number in job["ignored"] else signal.SIG_DFL)
    if signal.SIGINT not in job["ignored"]:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin = sys.__stdin__ = _stream(0, "r", "<stdin>", sys.stdin)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _stream(1, "w", "<stdout>", sys.stdout)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _stream(2, "w", "<stderr>", sys.stderr)  # type: ignore[misc]
    sys.path[:] = path
    signal.pthread_sigmask(signal.SIG_SETMASK, job["mask"])


def _stream(descriptor: int, mode: str, name: str, like: Any) -> io.TextIOWrapper:
    """Return a standard stream as Python makes it at its start."""
    unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    raw = io.FileIO(descriptor, mode, closefd=False)
    raw.name = name
    buffered: Any = io.BufferedReader(raw) if mode == "r" else raw if unbuffered else io.BufferedWriter(raw)
    is_line = not unbuffered and (raw.isatty() or name == "<stderr>")
    made = io.TextIOWrapper(
        buffered, like.encoding, like.errors, newline="\n" if mode == "w" else None,
        line_buffering=is_line, write_through=unbuffered,
    )  # fmt: skip
    made.mode = mode
    return made


def _run(command: list[str]) -> None:
    """Do what Python does with its command line."""
    sys.orig_argv[:] = command
    words = command[1:]
    safe = words[0] == "-P"
    option, what, *arguments = words[1:] if safe else words
    main = sys.modules["__main__"]
    for name in [name for name in vars(main) if not name.startswith("__")]:
        delattr(main, name)
    sys.argv[:] = [option, *arguments]
    if not safe:
        sys.path.insert(0, "" if option == "-c" else os.getcwd())  # noqa: PTH109
    if option == "-m":
        import runpy

        runpy._run_module_as_main(what)  # type: ignore[attr-defined]
    else:
        exec(compile(what, "<string>", "exec"), vars(main))
