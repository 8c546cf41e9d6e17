"""What is lost on a real Slurm: a worker, a node, the driver, the room on the disk. Nothing that was done is lost."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from endurance.small_suite import traces
from long import LONG
from runs import Run, go_on, jobs, long_suite, small_disk, until, worker_of
from slurm_cluster import SlurmCluster, missing

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.skipif(bool(missing()), reason=missing())]

SOON = 50
"""Seconds; the lease of a worker of another machine would be waited for a minute."""


def test_a_worker_a_node_and_the_driver_are_lost_one_after_the_other(
    slurm: SlurmCluster, suite: Path, local: Callable[[Path], Any]
) -> None:
    before = len(slurm.jobs())
    run = Run("slurm", slurm.environment(), suite)
    unit = run.training()
    os.kill(worker_of(unit), signal.SIGKILL)
    began = time.monotonic()
    until(lambda: run.attempts() == 2)
    assert time.monotonic() - began < SOON

    unit = run.training(but=unit)
    node = slurm.node_of(unit["handle"])
    with slurm.lost(node, worker_of(unit)):
        until(lambda: slurm.jobs()[int(unit["handle"])] == "NODE_FAIL")
        began = time.monotonic()
        until(lambda: run.attempts() == 3)
        assert time.monotonic() - began < SOON

        unit = run.training(but=unit)
        assert slurm.node_of(unit["handle"]) not in {"", node}
        os.kill(worker_of(unit), signal.SIGSTOP)  # it has work left for the next driver
        run.kill()
        (shown,) = json.loads(jobs(slurm.environment(), run.store, "--json"))
        assert (shown["executor"], shown["state"], shown["handle"]) == ("slurm", "running", unit["handle"])
        run = Run("slurm", slurm.environment(), suite)
        until(lambda: run.said)
        go_on(worker_of(unit))
        status, said = run.end()
        assert status == 0, said
    assert run.attempts() == 3, "the job of the killed driver was adopted"
    assert len(slurm.jobs()) - before == 4, "three for the pretraining, and one for what builds on it"
    assert traces(suite, run.store) == local(suite)


@LONG
def test_a_full_disk_fails_a_stage_that_says_so_and_another_run_does_it(
    slurm: SlurmCluster, tmp_path: Path, local: Callable[[Path], Any]
) -> None:
    with small_disk(tmp_path / "disk", "1m") as enlarge:
        suite = long_suite(tmp_path / "disk")
        run = Run("slurm", slurm.environment(), suite)
        status, said = run.end()
        assert (status, "Traceback" in said) == (1, False), said
        assert "No space left on device" in said
        until(lambda: not slurm.living(), 60)
        enlarge()
        status, said = Run("slurm", slurm.environment(), suite, retry=True).end()
        assert status == 0, said
        assert traces(suite, run.store) == local(suite)
