"""Runs that are asked to stop, or killed, as a user's are: the real command, its worker, and never --retry-failed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from small_suite import traces

from medssl_bench.store.store import Store

_ASKED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Ended:
    """How a run went that was stopped or killed time and again.

    Attributes:
        signals: how often each signal was sent, and to whom.
        resumed: how often a stage went on from a checkpoint.
        differences: what is not as it should be.
    """

    signals: dict[str, int] = field(default_factory=dict)
    resumed: int = 0
    differences: list[str] = field(default_factory=list)


def run_as_user(suite: Path, store: Path, wanted: dict[str, object], seed: int, longest: float) -> Ended:
    """Run the suite again and again, each time until a random moment, until it is through; look at what it leaves.

    Args:
        suite: the suite's file.
        store: where its results go.
        wanted: what an undisturbed run leaves.
        seed: of the moments.
        longest: the most seconds until a signal.
    """
    rng, found = random.Random(seed), Ended()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits that it is ignored
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    command = [sys.executable, "-m", "medssl_bench", "run", suite.name, "--store", str(store), "--device", "cpu"]
    command += ["--data-dir", str(suite.parent), "--executor", "isolated", "--executor-set", "checkpoint_seconds=0.3"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for life in range(500):
        with subprocess.Popen(
            command,
            cwd=suite.parent,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        ) as process:
            workers, asked = _disturb(process, rng, longest, found)
            try:
                _, err = process.communicate(timeout=1200)
            except subprocess.TimeoutExpired:
                found.differences.append(f"life {life} does not end")
                process.kill()
                return found
        if process.returncode not in {0, 75} and asked == "early":  # Python itself had it
            continue
        allowed = {0, 75, -signal.SIGKILL}
        if process.returncode not in allowed or "Traceback" in err or (process.returncode == -9 and asked != "kill"):
            found.differences.append(f"life {life} ended with status {process.returncode} after {asked}: {err[-300:]}")
            return found
        if failed := list(store.glob("failed/*")):
            found.differences.append(f"life {life}: {len(failed)} stages count as failed after {asked}")
            return found
        found.differences += [f"life {life}: a process outlives the run" for number in workers if _outlives(number)]
        if process.returncode == 0:
            break
    left = traces(suite, store)
    found.differences += [
        f"{key[:12]} differs" for key in wanted.keys() | left.keys() if wanted.get(key) != left.get(key)
    ]
    parts = [path for path in store.rglob(".*") if path.name != "."]
    found.differences += [f"{path.relative_to(store)} is left over" for path in (*parts, *store.glob("work/*"))]
    found.resumed = sum(record.cost["resumed"] for record in Store(store).records())
    return found


def _disturb(process: subprocess.Popen[str], rng: random.Random, longest: float, found: Ended) -> tuple[list[int], str]:
    """Send one signal or two to a run, to its worker, or to both; return the workers, and what was done."""
    try:
        process.wait(rng.uniform(0, longest) if rng.random() < 0.8 else rng.uniform(0, 2.0))
    except subprocess.TimeoutExpired:
        pass
    else:
        return [], "nothing"
    workers, listens = _children(process.pid), _listens(process.pid)
    whom = rng.choice(["the run", "the worker", "both"])
    number = rng.choice([*_ASKED, signal.SIGKILL])
    if number == signal.SIGKILL:  # of a worker, it is a failure: too little memory looks so
        whom = "the run"
    for _ in range(rng.choice([1, 1, 2])):
        for target in {"the run": [process.pid], "the worker": workers, "both": [*workers, process.pid]}[whom]:
            try:
                os.kill(target, number)
            except ProcessLookupError:
                continue
        if rng.random() < 0.5:
            time.sleep(rng.uniform(0, 0.3))
    what = f"{number.name} to {whom}"
    found.signals[what] = found.signals.get(what, 0) + 1
    return workers, "kill" if number == signal.SIGKILL else what if listens else "early"


def _children(number: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{number}/task/{number}/children").read_text().split()]
    except OSError:
        return []


def _listens(number: int) -> bool:
    """Return whether a run has come to our code: before, a signal ends it as it ends any program."""
    try:
        text = Path(f"/proc/{number}/status").read_text()
    except OSError:
        return False
    caught = int(text.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def _outlives(number: int) -> bool:
    """Return whether a process is still there after a while."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                return False
        except OSError:
            return False
        time.sleep(0.05)
    return True
