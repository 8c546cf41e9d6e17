"""Run a suite here, on a Slurm and on a Ray of two nodes each, and compare what they leave to the bit.

It says how many jobs there were, how long each run took, and what a job costs beside its stages. Start it with

    export PYTHONPATH=tests
    python plugins/medssl-bench-cluster/tests/compare_engines.py suites/quickstart.toml --epochs-scale 0.05
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median
from typing import Any

from endurance.small_suite import traces
from ray_cluster import running_ray
from slurm_cluster import running_slurm

from medssl_bench.store.store import Store

CLUSTERS: dict[str, tuple[Callable[[], AbstractContextManager[Any]], int]] = {
    "slurm": (running_slurm, 4),
    "ray": (running_ray, 2),
}
"""What starts a cluster, and how many jobs of one core it has at once; this machine may have fewer cores."""


def run(suite: Path, store: Path, options: list[str], executor: str, environment: Mapping[str, str]) -> float:
    """Run the suite; return the seconds that it took."""
    command = [
        sys.executable,
        "-m",
        "medssl_bench",
        "run",
        str(suite),
        "--store",
        str(store),
        "--device",
        "cpu",
        *options,
    ]
    began = time.monotonic()
    subprocess.run(
        [*command, "--executor", executor], env={**os.environ, **environment}, check=True, stdout=subprocess.DEVNULL
    )
    return time.monotonic() - began


def _of_workers(store: Path, costs: Mapping[str, float]) -> str:
    """Return how long jobs take to begin at best, and what a worker does beside its stages."""
    begin, beside = [], []
    for folder in (store / "jobs").iterdir():
        events, keys = folder / "events.jsonl", json.loads((folder / "job.json").read_text())["keys"]
        asked = subprocess.run(["stat", "--format=%.W", events], check=True, capture_output=True, text=True)
        born = float(asked.stdout)
        begin.append(born - (folder / "handle").stat().st_mtime)
        beside.append(events.stat().st_mtime - born - sum(costs[key] for key in keys))
    return f"a job begins in {min(begin):.0f} s at best; beside its stages a worker takes {median(beside):.1f} s"


def main() -> int:
    """Do it, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", type=Path)
    parser.add_argument("--epochs-scale", type=float)
    parser.add_argument("--engines", nargs="+", choices=CLUSTERS, default=list(CLUSTERS))
    parser.add_argument("--only", action="append", default=[])
    given = parser.parse_args()
    scale = given.epochs_scale
    options = [part for name in given.only for part in ("--only", name)]
    options += ["--epochs-scale", str(scale)] if scale else []
    same = True
    with tempfile.TemporaryDirectory(prefix="medssl-engines-") as folder:
        local = Path(folder, "local")
        seconds = run(given.suite, local, options, "local", {"OMP_NUM_THREADS": "1"})
        wanted = traces(given.suite, local, scale)
        worked = sum(record.cost["wall_seconds"] for record in Store(local).records())
        print(f"local: {len(wanted) - 1} stages in {seconds:.0f} s, of which {worked:.0f} s in stages", flush=True)
        for name in given.engines:
            store, (start, slots) = Path(folder, name), CLUSTERS[name]
            with start() as cluster:
                asks = [part for ask in ("cpus=1", "poll_seconds=2") for part in ("--executor-set", ask)]
                seconds = run(given.suite, store, [*options, *asks], name, cluster.environment())
            found = traces(given.suite, store, scale)
            jobs = len(list((store / "jobs").iterdir()))
            costs = {record.key: record.cost["wall_seconds"] for record in Store(store).records()}
            worked = sum(costs.values())
            beside = (seconds * min(slots, os.cpu_count() or 1) - worked) / jobs
            told = "equal to the bit" if found == wanted else "DIFFERENT"
            same &= found == wanted
            print(
                f"{name}: {told}; {jobs} jobs in {seconds:.0f} s, of which {worked:.0f} s in stages; "
                f"at most {beside:.0f} core seconds a job beside its stages; {_of_workers(store, costs)}",
                flush=True,
            )
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
