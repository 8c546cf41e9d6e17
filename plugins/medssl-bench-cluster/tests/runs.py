"""Runs on a real cluster, as a user starts them, and what of them the tests look at."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest
from endurance.small_suite import traces
from watched import checkpoints

SUITE = """\
schema = 1
name = "long"
seeds = [0]
floors = []
plugins = ["slow.py"]

[encoder.small]
name = "timm"
model = "test_resnet"

[pretraining.crops]
encoder = "small"
augmentation = ["resized_crop", "horizontal_flip", "slow"]
epochs = 50
batch_size = 16

[[comparison]]
id = "long"
datasets = [{ name = "phantom_cells", train = 16, val = 12, test = 12 }]
labels = [8]
encoder = "small"

  [[comparison.arm]]
  name = "k-NN"
  pretraining = ["crops"]
  evaluator = "knn"
"""
PLUGIN = """\
import time

from medssl_bench import hookimpl


@hookimpl
def medssl_ops(register):
    register("slow", slow)


def slow(size: int):
    \"\"\"Change nothing, and take a moment.\"\"\"
    from medssl_bench.augmentations import Op  # it imports torch, which only workers need

    class Slow(Op):
        def transform(self, images, uniforms):
            time.sleep(0.07)
            return images

    return Slow()
"""
"""A training that is at work for fifteen seconds on any machine, mostly asleep, and what builds on it."""

OPTIONS = ("cpus=1", "poll_seconds=0.5", "lag_seconds=4", "checkpoint_seconds=1")
SECRET = "do-not-write-me-down"


def long_suite(folder: Path) -> Path:
    """Write the suite of a training that something can happen to, and return its file."""
    (folder / "slow.py").write_text(PLUGIN)
    file = folder / "long.toml"
    file.write_text(SUITE)
    return file


class Run:
    """A run of a suite in its folder, in the background."""

    started: ClassVar[list[Run]] = []

    def __init__(
        self, executor: str, environment: Mapping[str, str], suite: Path, *settings: str, retry: bool = False
    ) -> None:
        options = [part for setting in (*OPTIONS, *settings) for part in ("--executor-set", setting)]
        command = [sys.executable, "-m", "medssl_bench", "run", suite.name, "--device", "cpu", "--executor", executor]
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits that it is ignored
        self.store = suite.parent / "store"
        self._out = suite.parent / f"said-{len(self.started)}"
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(
                [*command, *options, *(["--retry-failed"] if retry else [])],
                cwd=suite.parent,
                env={**environment, "SECRET_TOKEN": SECRET},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                process_group=0,
            )
        self.started.append(self)

    def end(self, seconds: float = 600.0) -> tuple[int, str]:
        """Wait for it; return its status and what it said."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"it has not ended:\n{self.said}")
        return self.process.returncode, self.said

    def kill(self) -> None:
        """End it as the kernel does that is out of memory."""
        self.process.kill()
        self.process.wait()

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)

    def interrupt_twice(self, worker: int) -> None:
        """Interrupt it while its worker cannot save a checkpoint, and again once the worker is asked to end."""
        os.kill(worker, signal.SIGSTOP)
        self.interrupt()
        until(lambda: is_asked_to_end(worker))
        self.interrupt()
        status, said = self.end()
        assert status == 75, said

    @property
    def said(self) -> str:
        """What it has said by now."""
        return self._out.read_text()

    def units(self) -> dict[str, dict[str, Any]]:
        """Return the handle and the events of each unit."""
        found = {}
        for folder in (self.store / "jobs").iterdir() if (self.store / "jobs").exists() else ():
            events = [json.loads(line) for line in _read(folder / "events.jsonl").splitlines()]
            found[folder.name] = {"events": events, **json.loads(_read(folder / "handle") or "{}")}
        return found

    def training(self, but: dict[str, Any] | None = None, *, saved: bool = True) -> dict[str, Any]:
        """Wait until a worker trains, and return its unit.

        Args:
            but: a unit, whose worker of that time is not meant.
            saved: whether there must be a checkpoint too.
        """

        def found():
            assert self.process.poll() in {None, 75}, self.said
            for unit in self.units().values() if checkpoints(self.store) or not saved else ():
                worker = unit["events"][-1]["worker"] if unit["events"] else ""
                epochs = [e for e in unit["events"] if e["worker"] == worker and "epoch" in e.get("hook", "")]
                if epochs and is_alive(worker_of(unit)) and (but is None or worker_of(but) != worker_of(unit)):
                    return unit
            return None

        return until(found)

    def attempts(self) -> int:
        """Return the number of jobs of the unit that had the most."""
        return max((unit.get("attempt", 0) for unit in self.units().values()), default=0)

    @classmethod
    def kill_all(cls) -> None:
        """Let no run of one test meet the next."""
        for run in cls.started:
            run.kill()
        cls.started.clear()


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def until(found: Callable[[], Any], seconds: float = 400.0) -> Any:
    """Wait until something is so, and return it."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "that does not happen"
        time.sleep(0.07)
    return value


def worker_of(unit: dict[str, Any]) -> int:
    """Return the process that was the last to say something of a unit."""
    return int(unit["events"][-1]["worker"].split("-")[2])


def is_alive(process: int) -> bool:
    """Return whether there is a process."""
    return Path(f"/proc/{process}").exists()


def is_asked_to_end(process: int) -> bool:
    """Return whether a process that was stopped by SIGSTOP will get SIGTERM once it goes on, or has got it."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:  # whoever asked has let it go on
        return True
    pending = [int(line.split()[1], 16) for line in lines if line.startswith(("SigPnd:", "ShdPnd:"))]
    return any(mask >> (signal.SIGTERM - 1) & 1 for mask in pending)


def go_on(process: int) -> None:
    """Let a process that was stopped by SIGSTOP go on, unless it has done so and ended."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGCONT)


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Callable[[], None]]:
    """Have a disk of a size, in memory, and give what enlarges it."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    done = subprocess.run(mount, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    try:
        yield lambda: subprocess.run(["mount", "-o", "remount,size=100m", str(place)], check=True)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def local_traces(folder: Path) -> Callable[[Path], Any]:
    """Return a function that gives what a suite gives on one machine, with one thread; each is run once."""

    @cache
    def found(text: str) -> Any:
        suite = folder / f"{len(list(folder.iterdir()))}" / "suite.toml"
        suite.parent.mkdir()
        suite.write_text(text)
        (suite.parent / "slow.py").write_text(PLUGIN)
        command = [sys.executable, "-m", "medssl_bench", "run", suite.name, "--device", "cpu", "--executor", "local"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(command, cwd=suite.parent, env=environment, check=True, capture_output=True, timeout=400)
        return traces(suite, suite.parent / "store")

    return lambda suite: found(suite.read_text())


def jobs(environment: Mapping[str, str], store: Path, *options: str) -> str:
    """Return what ``medssl-bench jobs`` prints."""
    process = begin_jobs(environment, store, *options)
    out, err = process.communicate(timeout=400)
    assert process.returncode == 0, err
    return out


def begin_jobs(environment: Mapping[str, str], store: Path, *options: str) -> subprocess.Popen[str]:
    """Start ``medssl-bench jobs``."""
    command = [sys.executable, "-m", "medssl_bench", "jobs", "--store", str(store), *options]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True, cwd=store.parent)
