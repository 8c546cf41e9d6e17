"""A process that draws figures for a report, and its other end.

It is given tasks as pickles that this very program makes: functions of the package and data. It needs neither the
suite nor its plugins. So it does not matter how this process was started, or what script called it.
"""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, BinaryIO

from medssl_bench.child_process import start_child

if TYPE_CHECKING:
    from collections.abc import Callable

_LENGTH = struct.Struct(">Q")


class DrawingProcess:
    """A process that does tasks, one after the other."""

    def __init__(self) -> None:
        read, write = os.pipe()
        try:
            self._process = start_child(
                "medssl_bench.figures.drawing_process", "", [write], [write], stdin=subprocess.PIPE
            )
        except BaseException:
            os.close(read)
            raise
        finally:
            os.close(write)
        self._answers: BinaryIO = open(read, "rb")  # noqa: PTH123, SIM115 - an open file descriptor; `end` closes it

    def perform(self, task: Callable[[], Any]) -> Any:
        """Return what a task gives.

        Raises:
            EOFError: the task failed, or the process has ended.
            OSError: likewise.
            ValueError: `end` was called meanwhile.
            Exception: the task cannot be given to another process.
        """
        assert self._process.stdin is not None
        _send(self._process.stdin, task)
        done, result = pickle.loads(_received(self._answers))  # noqa: S301 - of our own process
        if not done:
            raise EOFError
        return result

    def has_ended(self) -> bool:
        """Return whether the process has ended."""
        return self._process.poll() is not None

    def end(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._answers):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def _send(to: BinaryIO | Any, value: object) -> None:
    content = pickle.dumps(value)
    to.write(_LENGTH.pack(len(content)) + content)
    to.flush()


def _received(stream: BinaryIO) -> bytes:
    head = stream.read(_LENGTH.size)
    content = stream.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
    if not content:
        raise EOFError
    return content


def main() -> None:
    """Do the tasks that standard input gives, until it ends; then end at once, whatever is being drawn.

    The first argument of the process is the number of the open file descriptor that takes the answers.
    """
    os.dup2(2, 1)  # what a library prints must not spoil the output of the command
    tasks: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(tasks,), daemon=True).start()
    with open(int(sys.argv[1]), "wb") as answers:  # noqa: PTH123 - an open file descriptor
        while True:
            try:
                answer = (True, pickle.loads(tasks.get())())  # noqa: S301 - of the process that started this one
            except Exception:  # noqa: BLE001 - the other process does it again, and meets the error itself
                answer = (False, None)
            _send(answers, answer)


def _listen(tasks: SimpleQueue[bytes]) -> None:
    with open(0, "rb", closefd=False) as stream, suppress(EOFError):
        while True:
            tasks.put(_received(stream))
    os._exit(0)
