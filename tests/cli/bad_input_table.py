"""Writes docs/reference/bad-input.md: every bad input, what the program says of it, and its exit status.

PYTHONPATH=tests python -m cli.bad_input_table > docs/reference/bad-input.md
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest.mock import patch

from cli.bad_inputs import KINDS, BadInput, shown_command, write_good

from medssl_bench.cli.main import main

HEAD = """\
# Bad input

What comes from outside is checked before anything is trained: whatever is wrong ends with exit status 2 and one line
for each problem, and no result is written. Every row below is executed by the tests, which hold the messages to this
page (`tests/cli/test_bad_input_table.py`); `PYTHONPATH=tests python -m cli.bad_input_table` writes it. The suite is
always called `suite.toml`, its data `squares.npz` or `scans/`; the folders before these names are left out. Messages
begin with `error: `.
"""


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        status: its exit status.
        out: what it printed.
        lines: what it printed on the standard error stream, without notes.
        left: what it left in the folder that was not there before.
    """

    status: int
    out: str
    lines: tuple[str, ...]
    left: tuple[str, ...]


_ENVIRONMENT = {"MEDSSL_BENCH_EXECUTOR": "isolated"}
"""The default, whatever the tests have set for their own runs."""


def attempt(case: BadInput) -> Outcome:
    """Make something bad in a folder of its own, and meet it with its command."""
    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve()
        with (
            _inside(folder),
            patch.dict(os.environ, {**_ENVIRONMENT, "XDG_CACHE_HOME": f"{folder}/cache", **case.environment}),
        ):
            write_good(folder)
            case.make()
            before = set(folder.rglob("*"))
            with patch.object(sys, "argv", ["medssl-bench", *case.arguments]), warnings.catch_warnings():
                status = _status(out, err)
            left = {path for path in folder.rglob("*") if "cache" not in str(path)} - before
    said = err.getvalue().replace(f"{folder}/", "").replace(str(folder), ".")
    lines = tuple(line for line in said.splitlines() if not line.startswith(("note: ", "reading ", "downloading ")))
    return Outcome(status, out.getvalue(), lines, tuple(sorted(str(path.relative_to(folder)) for path in left)))


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _status(out: io.StringIO, err: io.StringIO) -> int:
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0)
    raise AssertionError("the program always exits")


attempted = cache(attempt)


def table() -> str:
    """Return the page."""
    parts = [HEAD]
    for kind, cases in KINDS.items():
        parts.append(f"\n## {kind}\n\n| what is bad | command | status | message |\n|---|---|---|---|\n")
        for case in cases:
            outcome = attempted(case)
            message = "; ".join(line.removeprefix("error: ") for line in outcome.lines)
            parts.append(f"| {case.what} | `{shown_command(case)}` | {outcome.status} | {_cell(message)} |\n")
    return "".join(parts)


def _cell(text: str) -> str:
    """Return a text as code in a cell of a table; the longest lists are cut."""
    text = text if len(text) <= 300 else f"{text[:297]}..."
    fence = "``" if "`" in text else "`"
    return f"{fence}{text.replace('|', chr(92) + '|')}{fence}"


if __name__ == "__main__":
    sys.stdout.write(table())
