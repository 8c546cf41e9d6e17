"""The command, and ``python -m medssl_bench``: requests to stop are heard before anything else is imported."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from medssl_bench.stopping import STATUS, end_if_nothing_is_left, is_stop, listen, nothing_is_left

if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> None:
    """Run the command line and exit; `run` ends with 75 when it is asked to stop, however early that is."""
    can_go_on = _verb(sys.argv[1:]) == "run"
    if can_go_on:
        atexit.register(end_if_nothing_is_left)
        listen()
    status: object = 0
    try:
        from medssl_bench.cli.main import main as command

        command()
    except SystemExit as end:
        status = end.code
    except BaseException as error:
        if not is_stop(error):
            raise
        if can_go_on:
            with suppress(OSError):
                os.write(2, b"\nstopped: run the same command again to go on\n")
        status = STATUS if can_go_on else 130
    if can_go_on and isinstance(status, int):
        with suppress(OSError, ValueError):  # the pipe is closed
            sys.stdout.flush()
        nothing_is_left(status)
    sys.exit(status)  # type: ignore[arg-type]


def _verb(arguments: Sequence[str]) -> str:
    """Return the first argument that is neither an option nor the value of one."""
    words = iter(arguments)
    for word in words:
        if word == "-p":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


if __name__ == "__main__":
    main()
