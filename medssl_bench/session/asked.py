"""A process that answers questions for which it takes torch, or a plugin's components, and its other end.

The process that a user sees has no torch, and must outlive what a component does. So another one of this very program
answers, with the same plugins.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.child_process import end_with_parent, start_child
from medssl_bench.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.plugin.manager import Plugins

_PREPARE = """
if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a traceback
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
"""

_LAST = 10.0
"""Seconds that a process may take to end when it has said its last word."""

Answer = Callable[[dict[str, Any]], None]
"""Writes one answer, JSON-able."""


def ask(module: str, plugins: Plugins, given: Mapping[str, Any], number: int) -> tuple[list[dict[str, Any]], int]:
    """Return the answers of a process, which may have ended before the last, and its status.

    Args:
        module: whose function `main` answers, with `asked`.
        plugins: that it is to have.
        given: what it is asked, JSON-able.
        number: how many answers there will be.

    Raises:
        UserError: a plugin has changed since this process has read it.
    """
    entries = [entry for named in plugins.registry.entries.values() for entry in named.values()]
    question = {
        "block": sorted(name for name, plugin in plugins.manager.list_name_plugin() if plugin is None),
        "inline": {str(entry.plugin.file.resolve()): entry.plugin.source for entry in entries if entry.plugin.file},
        **given,
    }
    answers, status = _ask(module, question, number)
    if answers and "refused" in answers[0]:
        raise UserError(answers[0]["refused"])
    return answers, status


def _ask(module: str, given: Mapping[str, Any], number: int) -> tuple[list[dict[str, Any]], int]:
    read, write = os.pipe()
    try:
        process = start_child(module, _PREPARE, [write, os.getpid()], [write], stdin=subprocess.PIPE)
    except BaseException:
        os.close(read)
        raise
    finally:
        os.close(write)
    with process, open(read, "rb") as lines:  # noqa: PTH123 - an open file descriptor
        try:
            assert process.stdin is not None
            with suppress(BrokenPipeError), process.stdin as to:  # it died before it had read: that is seen below
                to.write(json.dumps(given).encode())
            # not to the end of the pipe, which processes that a component has started may hold open
            answers = [json.loads(line) for line in islice(lines, number) if line.endswith(b"\n")]
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LAST)
            process.kill()  # it has said its last word, and something that it has loaded does not end
        except BaseException:
            process.kill()
            raise
    return answers, process.returncode


@contextmanager
def asked() -> Iterator[tuple[dict[str, Any], Plugins, Answer]]:
    """Give what this process is asked, the plugins to answer with, and a function that takes each answer.

    The arguments of the process: the number of the open file descriptor that takes the answers, and the number of the
    process that started this one. When that has ended, as it was killed, this one ends too.
    """
    from medssl_bench.plugin.manager import load_plugins

    os.dup2(2, 1)  # what a plugin prints must not spoil the output of the command
    pipe, parent = map(int, sys.argv[1:3])
    end_with_parent(parent)
    try:
        given = json.load(sys.stdin)
    except ValueError:  # the parent was killed before it had written all of it
        sys.exit(1)
    # a broken pipe: the parent has ended
    with suppress(BrokenPipeError), open(pipe, "w", encoding="utf-8") as to:  # noqa: PTH123 - an open file descriptor

        def answer(found: dict[str, Any]) -> None:
            to.write(json.dumps(found) + "\n")
            to.flush()

        plugins = load_plugins(given["block"])
        try:
            for file, source in given["inline"].items():
                plugins.add_inline(Path(file), source)
        except UserError as error:
            answer({"refused": str(error)})
            sys.exit(1)
        yield given, plugins, answer
