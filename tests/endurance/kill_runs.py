"""Kill runs of a small suite at random moments, most of them inside a stage, until each is through.

Each run must leave what an undisturbed one leaves, to the bit: the leaderboard, every file and every metric. No kill
may cost more than one interval between checkpoints. Start it with

    python tests/endurance/kill_runs.py --runs 50

Every life of a run is a process of its own, forked from one that has imported the packages but not used them: so that
lives can be short. It is killed with SIGKILL, 0.2 to 3 seconds after its start.

    python tests/endurance/kill_runs.py --as-user 10

does it as a user does: lives are the real command with its worker process, which is killed, or asked to stop (Ctrl-C,
SIGTERM, SIGHUP, once or twice, the run or its worker or both, from its first moment on), and started again as it was,
never with --retry-failed. Then no stage may count as failed, every life ends with 75, and nothing is left over.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import timm
import torch
import torchmetrics

sys.path.insert(0, str(Path(__file__).parent))

from as_user import run_as_user
from small_suite import traces, write_suite

import medssl_bench
import medssl_bench.stages.run
from medssl_bench.plugin.watching import StageInfo
from medssl_bench.store.store import Store

CHECKPOINT_SECONDS = 0.3
"""Between two checkpoints."""

_IMPORTED = (timm, torchmetrics, medssl_bench.stages.run)
"""What would take most of a life to import."""

_FORK = multiprocessing.get_context("fork")


@dataclass
class Killed:
    """How a run went that was killed.

    Attributes:
        kills: how often it was killed.
        inside: how often of these while a stage was being done that had begun.
        resumed: how often a stage went on from a checkpoint.
        lost: seconds of a training since its last checkpoint, or its beginning, of each kill inside one.
        differences: what is not as in an undisturbed run.
    """

    kills: int = 0
    inside: int = 0
    resumed: int = 0
    lost: list[float] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


class TrainingBegins:
    """Touches a file when a training makes its first step in this life: what comes before is no training."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stage = ""

    @medssl_bench.hookimpl
    def medssl_epoch_begins(self, stage: StageInfo) -> None:
        """Touch the file at the first epoch of a stage."""
        if stage.key != self._stage:
            self._stage = stage.key
            self._file.touch()


def live(suite: Path, store: Path) -> None:
    """Run the suite, as one process does it."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    torch.set_num_threads(1)
    executor = {"name": "local", "checkpoint_seconds": CHECKPOINT_SECONDS}
    loaded = medssl_bench.Suite.load(suite)
    loaded.plugins.manager.register(TrainingBegins(_mark(store)))
    result = medssl_bench.run(loaded, store=store, data_dir=suite.parent, device="cpu", executor=executor)
    os._exit(1 if result.failed else 0)


def run_killed(suite: Path, store: Path, wanted: dict[str, object], seed: int, longest: float) -> Killed:
    """Run the suite and kill it at random moments, until it is through; compare what it leaves.

    Args:
        suite: the suite's file.
        store: where its results go.
        wanted: what an undisturbed run leaves.
        seed: of the moments.
        longest: the most seconds until a kill; where no run gets any further in it, the stage counts as failed.
    """
    rng, found = random.Random(seed), Killed()
    while True:
        process = _FORK.Process(target=live, args=(suite, store))
        process.start()
        process.join(rng.uniform(0.2, longest))
        if process.exitcode is not None:
            if process.exitcode:
                found.differences.append(f"the run ended with status {process.exitcode}")
            break
        process.kill()
        killed = time.time()
        process.join()
        found.kills += 1
        lost = _lost(store, killed)
        if lost is not None:
            found.inside += 1
            found.lost += lost
    left = traces(suite, store)
    found.differences += [
        f"{key[:12]} differs" for key in wanted.keys() | left.keys() if wanted.get(key) != left.get(key)
    ]
    found.resumed = sum(record.cost["resumed"] for record in Store(store).records())
    return found


def _mark(store: Path) -> Path:
    """Return the file whose time says when a training began in this life."""
    return store.with_name(f"{store.name}.began")


def _lost(store: Path, now: float) -> list[float] | None:
    """Return the seconds of training that are lost, of each stage that had begun; None: none had."""
    found = None
    for folder in store.glob("work/*/*"):
        if not (folder / "files").is_dir():
            continue
        found = found or []
        began = _time_of(_mark(store))
        if began > _time_of(folder / "files"):  # else it had not begun to train, or does not train
            found.append(now - max(began, _time_of(folder / "checkpoint.txt")))
    return found


def _time_of(file: Path) -> float:
    return file.stat().st_mtime if file.exists() else 0.0


def as_user(runs: int, epochs: int, seed: int, longest: float, folder: Path) -> int:
    """Make runs as a user does, say how they went, and return the exit status."""
    suite = write_suite(folder, epochs)
    undisturbed = _FORK.Process(target=live, args=(suite, folder / "undisturbed"))
    undisturbed.start()
    undisturbed.join()
    wanted, wrong = traces(suite, folder / "undisturbed"), 0
    for number in range(runs):
        run = run_as_user(suite, folder / f"user-{number}", wanted, seed + number, longest)
        wrong += bool(run.differences)
        sent = ", ".join(f"{count} {what}" for what, count in sorted(run.signals.items()))
        more = "".join(f"; {text}" for text in run.differences)
        print(f"run {number}: {sent or 'not disturbed'}; {run.resumed} resumptions{more}", flush=True)
    print(f"{runs} runs as a user makes them: {runs - wrong} equal the undisturbed run to the bit, and none failed")
    return 1 if wrong else 0


def main(runs: int, jobs: int, epochs: int, seed: int, slack: float, folder: Path) -> int:
    """Make the runs, say how they went, and return the exit status."""
    suite = write_suite(folder, epochs)
    began = time.monotonic()
    undisturbed = _FORK.Process(target=live, args=(suite, folder / "undisturbed"))
    undisturbed.start()
    undisturbed.join()
    wanted = traces(suite, folder / "undisturbed")
    seconds = time.monotonic() - began
    longest = max(3.0, seconds / 6)  # of a busy machine, more
    print(f"undisturbed: {len(wanted) - 1} stages in {seconds:.1f} s")
    with ThreadPoolExecutor(jobs) as pool:
        done = pool.map(lambda n: run_killed(suite, folder / f"killed-{n}", wanted, seed + n, longest), range(runs))
        found = []
        for number, run in enumerate(done):
            found.append(run)
            worst = max(run.lost, default=0.0)
            print(
                f"run {number}: {run.kills} kills, {run.inside} inside a stage, {run.resumed} resumptions, "
                f"at most {worst:.2f} s of training lost{''.join(f'; {text}' for text in run.differences)}",
                flush=True,
            )
    wrong = sum(bool(run.differences) for run in found)
    lost = sorted(seconds for run in found for seconds in run.lost)
    late = sum(seconds > CHECKPOINT_SECONDS + slack for seconds in lost)
    kills, inside, resumed = (sum(getattr(run, name) for run in found) for name in ("kills", "inside", "resumed"))
    print(
        f"{runs} runs, {kills} kills, {inside} of them inside a stage, {resumed} resumptions: {runs - wrong} equal the "
        f"undisturbed run to the bit; training lost by a kill: median {lost[len(lost) // 2] if lost else 0:.2f} s, at "
        f"most {max(lost, default=0):.2f} s (checkpoints every {CHECKPOINT_SECONDS} s)"
    )
    return 1 if wrong or late else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time, each with a store of its own")
    parser.add_argument("--epochs", type=int, default=40, help="of each training: longer ones are killed more often")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument(
        "--slack",
        type=float,
        default=0.6,
        help="seconds that a kill may cost beyond an interval: a step, writing, and what else the machine does",
    )
    parser.add_argument("--as-user", type=int, metavar="RUNS", help="the real command, stopped and killed")
    parser.add_argument("--longest", type=float, default=14.0, help="seconds until a signal, with --as-user")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if chosen.as_user:
            sys.exit(as_user(chosen.as_user, chosen.epochs, chosen.seed, chosen.longest, Path(name)))
        sys.exit(main(chosen.runs, chosen.jobs, chosen.epochs, chosen.seed, chosen.slack, Path(name)))
