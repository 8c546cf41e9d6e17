"""Four runs of one suite on one store at once: one is killed half-way, one is stopped past its lease and goes on later.

Every stage must be done once, but for those that the two were at; the stopped one must find that it has lost its stage;
and what is left must be what one undisturbed run leaves, to the bit. Start it with

    python tests/endurance/share_store.py
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import timm
import torch
import torchmetrics

sys.path.insert(0, str(Path(__file__).parent))

from small_suite import traces, write_suite

import medssl_bench
import medssl_bench.stages.run
from medssl_bench.plugin.watching import Outcome, StageInfo

LEASE_SECONDS = 4.0
"""How long a stopped run keeps its stage."""

_IMPORTED = (timm, torchmetrics, medssl_bench.stages.run)
"""What would take most of a run to import."""

_FORK = multiprocessing.get_context("fork")


class Log:
    """Writes what a run does into a file, a line each."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def _write(self, what: str, stage: StageInfo) -> None:
        with self._file.open("a", encoding="utf-8") as log:
            log.write(f"{what} {stage.key}\n")

    @medssl_bench.hookimpl
    def medssl_stage_begins(self, stage: StageInfo) -> None:
        """Note that it has been begun here."""
        self._write("begins", stage)

    @medssl_bench.hookimpl
    def medssl_epoch_ends(self, stage: StageInfo) -> None:
        """Note that an epoch has ended here."""
        self._write("epoch", stage)

    @medssl_bench.hookimpl
    def medssl_stage_ends(self, stage: StageInfo, outcome: Outcome) -> None:
        """Note whether it has been finished here or elsewhere."""
        self._write(f"{outcome.status}{' elsewhere' if outcome.elsewhere else ''}", stage)


def live(suite: Path, store: Path, log: Path) -> None:
    """Run the suite, as one process does it."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    torch.set_num_threads(1)
    loaded = medssl_bench.Suite.load(suite)
    loaded.plugins.manager.register(Log(log))
    executor = {"name": "local", "checkpoint_seconds": 0.3, "lease_seconds": LEASE_SECONDS}
    result = medssl_bench.run(loaded, store=store, data_dir=suite.parent, device="cpu", executor=executor)
    os._exit(1 if result.failed else 0)


def lines(log: Path) -> list[tuple[str, str]]:
    """Return what a run has written so far: what, and the key of the stage."""
    text = log.read_text("utf-8") if log.exists() else ""
    found = (line.rpartition(" ") for line in text.splitlines())
    return [(what, key) for what, _, key in found]


def trains(log: Path) -> str | None:
    """Return the key of the stage that a run is training just now, or None."""
    found = lines(log)
    return found[-1][1] if found and found[-1][0] == "epoch" else None


def wait_for(condition: object, seconds: float = 120.0) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: it takes too long.
    """
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.01)


def main(epochs: int, folder: Path) -> int:
    """Make the runs, say how they went, and return the exit status."""
    suite = write_suite(folder, epochs)
    alone = _FORK.Process(target=live, args=(suite, folder / "alone", folder / "alone.log"))
    alone.start()
    alone.join()
    wanted = traces(suite, folder / "alone")
    stages = {key for key in wanted if key != "leaderboard"}

    store, logs = folder / "store", [folder / f"{number}.log" for number in range(4)]
    runs = [_FORK.Process(target=live, args=(suite, store, log)) for log in logs]
    for run in runs:
        run.start()
    wait_for(lambda: sum(trains(log) is not None for log in logs) >= 2)
    first, second, *_ = [number for number, log in enumerate(logs) if trains(log)]
    killed, stopped = trains(logs[first]), trains(logs[second])
    runs[first].kill()
    os.kill(runs[second].pid or 0, signal.SIGSTOP)
    print(f"run {first} killed, run {second} stopped, each inside a training")
    others = [run for number, run in enumerate(runs) if number not in {first, second}]
    for run in others:
        run.join()
    print(f"the other two are through: status {[run.exitcode for run in others]}")
    os.kill(runs[second].pid or 0, signal.SIGCONT)
    runs[second].join()
    print(f"the stopped one goes on and ends: status {runs[second].exitcode}")

    begun = Counter(key for log in logs for what, key in lines(log) if what == "begins")
    done = Counter(key for log in logs for what, key in lines(log) if what == "done")
    late = [what for what, key in lines(logs[second]) if key == stopped and what.startswith(("done", "failed"))]
    left = traces(suite, store)
    checks = {
        "the three that lived ended well": [run.exitcode for run in (*others, runs[second])] == [0, 0, 0],
        # the one that is killed may have finished its stage, and not have said so yet
        "every stage was done by one run": done.keys() | {killed} == stages and set(done.values()) == {1},
        "begun twice only where one was killed or stopped": {k for k in begun if begun[k] > 1} <= {killed, stopped},
        "the stopped one found its stage done by another": late == ["done elsewhere"],
        "the same result as that of one run, to the bit": left == wanted,
        "nothing is left in work/": not list((store / "work").iterdir()),
    }
    for what, holds in checks.items():
        print(f"{'yes' if holds else 'NO '}  {what}")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=40, help="of each training")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        sys.exit(main(chosen.epochs, Path(name)))
