"""A suite of one arm whose evaluator does odd things to its process, and the command that runs it as a user does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUITE = """\
schema = 1
name = "odd"
plugins = ["odd.py"]
floors = []

[[comparison]]
id = "table"
datasets = [{ name = "phantom_cells", train = 40, val = 16, test = 16 }]
labels = [20]
draws = [0]
encoder = { name = "timm", model = "ENCODER" }

  [[comparison.arm]]
  name = "odd"
  evaluator = "odd"
"""

PLUGIN = '''\
import ctypes
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from medssl_bench import hookimpl
from medssl_bench.evaluators import Evaluation, Evaluator

HERE = Path(__file__).parent
ON_IMPORT


@hookimpl
def medssl_evaluators(register):
    register("odd", Odd)


def note(pid):
    with open(HERE / "children", "a") as file:
        file.write(f"{pid}\\n")


def wait():
    (HERE / "waits").touch()
    while not (HERE / "go on").exists():
        time.sleep(0.05)


def _sleep(_seconds):
    note(os.getpid())
    time.sleep(600)


class Odd(Evaluator):
    """Does odd things."""

    needs = "encoder"

    def evaluate(self, trial):
        self.act()
        shape = len(trial.splits["test"]), len(trial.info.classes)
        return Evaluation(np.full(shape, 1 / shape[1], np.float32))

    def act(self):
        ACT
'''


def write(folder: Path, act: str, on_import: str = "", *, encoder: str = "test_resnet") -> Path:
    """Write the suite and its plugin, and return the suite's file.

    Args:
        folder: where to.
        act: Python that the evaluator does.
        on_import: Python at the top of the plugin.
        encoder: timm's name of the model; of the default it is known without a process that it fits.
    """
    act = "\n".join(f"        {line}" if line else "" for line in act.strip("\n").splitlines()).lstrip()
    (folder / "odd.py").write_text(PLUGIN.replace("ACT", act).replace("ON_IMPORT", on_import))
    (folder / "odd.toml").write_text(SUITE.replace("ENCODER", encoder))
    return folder / "odd.toml"


@contextmanager
def running(suite: Path, *options: str, executor: str = "isolated") -> Iterator[subprocess.Popen[str]]:
    """Give a run of the suite in a group of its own, as a shell starts it; it is killed at the end if it still runs."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits that it is ignored
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    command = [sys.executable, "-m", "medssl_bench", "run", suite.name, "--device", "cpu", "--executor", executor]
    with subprocess.Popen(
        [*command, *options],
        cwd=suite.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def ended(process: subprocess.Popen[str], seconds: float = 90.0) -> tuple[int, str]:
    """Wait for a run; return its status and what it said."""
    _, err = process.communicate(timeout=seconds)
    return process.returncode, err


def wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a file is there."""
    end = time.monotonic() + 120
    while not file.exists():
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < end
        time.sleep(0.02)


def living_children(folder: Path, seconds: float = 5.0) -> list[int]:
    """Return which of the processes that the evaluator has started are still there after a while."""
    numbers = [int(line) for line in (folder / "children").read_text().split()]
    end = time.monotonic() + seconds
    while (alive := [number for number in numbers if _is_alive(number)]) and time.monotonic() < end:
        time.sleep(0.05)
    return alive


def _is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (OSError, ProcessLookupError):
        return False
