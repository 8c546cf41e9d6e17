"""Runs on a real cluster, as a user starts them, and what of them the tests look at."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest
from endurance.small_suite import traces
from watched import checkpoints

LONG = """\
schema = 1
name = "long"
seeds = [0]
floors = []

[encoder.small]
name = "timm"
model = "test_resnet"

[pretraining.crops]
encoder = "small"
augmentation = ["resized_crop", "horizontal_flip"]
epochs = EPOCHS
batch_size = 40

[[comparison]]
id = "long"
datasets = [{ name = "phantom_cells", train = 120, val = 40, test = 60 }]
labels = [80]
encoder = "small"

  [[comparison.arm]]
  name = "k-NN"
  pretraining = ["crops"]
  evaluator = "knn"
"""
"""A training that takes a few seconds, so that it is at work when something happens to it, and what builds on it."""

OPTIONS = ("cpus=1", "poll_seconds=1", "lag_seconds=4", "checkpoint_seconds=1")
SECRET = "do-not-write-me-down"


def long_suite(folder: Path, epochs: int = 40) -> Path:
    file = folder / "long.toml"
    file.write_text(LONG.replace("EPOCHS", str(epochs)))
    return file


class Run:
    """A run of a suite in its folder, in the background."""

    started: ClassVar[list[Run]] = []

    def __init__(self, executor: str, environment: Mapping[str, str], suite: Path, *settings: str) -> None:
        options = [part for setting in (*OPTIONS, *settings) for part in ("--executor-set", setting)]
        command = [sys.executable, "-m", "medssl_bench", "run", suite.name, "--device", "cpu", "--executor", executor]
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits that it is ignored
        self.store = suite.parent / "store"
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [*command, *options],
            cwd=suite.parent,
            env={**environment, "SECRET_TOKEN": SECRET},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        self.started.append(self)

    def end(self, seconds: float = 400.0) -> tuple[int, str]:
        """Wait for it; return its status and what it said."""
        try:
            out, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, _ = self.process.communicate()
            pytest.fail(f"it has not ended:\n{out}")
        return self.process.returncode, out

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def units(self) -> dict[str, dict[str, Any]]:
        """Return the handle and the events of each unit."""
        found = {}
        for folder in (self.store / "jobs").iterdir() if (self.store / "jobs").exists() else ():
            events = [json.loads(line) for line in _read(folder / "events.jsonl").splitlines()]
            found[folder.name] = {"events": events, **json.loads(_read(folder / "handle") or "{}")}
        return found

    def training(self) -> dict[str, Any]:
        """Wait until a job trains, and has saved a checkpoint; return its unit."""

        def found():
            assert self.process.poll() in {None, 75}, self.end()
            units = self.units().values()
            living = [unit for unit in units if unit["events"] and not {"end", "stopped"} & unit["events"][-1].keys()]
            return living[0] if checkpoints(self.store) and living else None

        return until(found)

    @classmethod
    def kill_all(cls) -> None:
        """Let no run of one test meet the next."""
        for run in cls.started:
            if run.process.poll() is None:
                run.process.kill()
                run.process.communicate()
        cls.started.clear()


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def until(found: Callable[[], Any], seconds: float = 120.0) -> Any:
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "that does not happen"
        time.sleep(0.1)
    return value


def worker_of(unit: dict[str, Any]) -> int:
    return int(unit["events"][-1]["worker"].split("-")[2])


def local_traces(folder: Path) -> Callable[[Path], Any]:
    """Return a function that gives what a suite gives on one machine, with one thread; each is run once."""

    @cache
    def found(text: str) -> Any:
        suite = folder / f"{len(list(folder.iterdir()))}" / "suite.toml"
        suite.parent.mkdir()
        suite.write_text(text)
        command = [sys.executable, "-m", "medssl_bench", "run", suite.name, "--device", "cpu", "--executor", "local"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(command, cwd=suite.parent, env=environment, check=True, capture_output=True, timeout=400)
        return traces(suite, suite.parent / "store")

    return lambda suite: found(suite.read_text())


def jobs(environment: Mapping[str, str], store: Path, *options: str) -> str:
    """Return what ``medssl-bench jobs`` prints."""
    command = [sys.executable, "-m", "medssl_bench", "jobs", "--store", str(store), *options]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=400, cwd=store.parent
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
