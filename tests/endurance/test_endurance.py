"""The scripts of this folder, each in small; docs/explanation/reliability.md says how to start them in full."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from long import LONG

HERE = Path(__file__).parent

pytestmark = [pytest.mark.slow, LONG]


def _start(script: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(HERE / script), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


def test_runs_that_are_killed() -> None:
    done = _start("kill_runs.py", "--runs", "1", "--jobs", "1", "--epochs", "10", "--slack", "30")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 equal the undisturbed run to the bit" in done.stdout


def test_runs_that_are_stopped_and_killed_as_a_user_meets_it() -> None:
    done = _start("kill_runs.py", "--as-user", "1", "--epochs", "10", "--longest", "20")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 equal the undisturbed run to the bit, and none failed" in done.stdout


def test_runs_that_share_a_store() -> None:
    done = _start("share_store.py", "--epochs", "15")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("yes  ") == 6


def test_disks_that_are_full() -> None:
    done = _start("fill_disk.py", "--epochs", "2", "--shares", "0.0", "0.5", "0.95")
    if done.returncode == 77:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("equal to the bit: True") == 3
