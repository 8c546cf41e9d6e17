"""Several workers on one plan: each stage once, the bits of one worker, and one's death or want of memory its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from watched import checkpoints

from medssl_bench import Suite, hookimpl, run
from medssl_bench.executors.isolated import _threads
from medssl_bench.plugin.watching import Outcome, StageInfo
from medssl_bench.session.running import RunResult
from medssl_bench.store.store import Store

SUITE = """\
schema = 1
name = "packed"
plugins = ["odd.py"]
floors = ["majority"]

[[comparison]]
id = "table"
datasets = [{ name = "phantom_cells", train = 40, val = 16, test = 16 }]
labels = [20]
draws = [0, 1]
encoder = { name = "timm", model = "test_resnet" }

  [[comparison.arm]]
  name = "odd"
  evaluator = { name = "odd", how = "HOW" }

  [[comparison.arm]]
  name = "well"
  evaluator = { name = "odd", how = "not at all" }

  [[comparison.arm]]
  name = "supervised"
  evaluator = { name = "finetune", epochs = EPOCHS, batch_size = 20 }

  [[comparison.arm]]
  name = "frozen"
  evaluator = { name = "linear_probe", epochs = 3 }
"""

PLUGIN = """\
import os
import signal
import time
from pathlib import Path

import numpy as np

from medssl_bench import hookimpl
from medssl_bench.evaluators import Evaluation, Evaluator


@hookimpl
def medssl_evaluators(register):
    register("odd", Odd)


class Odd(Evaluator):
    \"\"\"Dies, or has too little memory while there is no file that says otherwise.\"\"\"

    needs = "encoder"

    def __init__(self, *, how: str):
        self.how = how

    def evaluate(self, trial):
        tried = Path(__file__).with_name("tried")
        if self.how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "hungry" and not tried.exists():
            time.sleep(0.5)
            tried.touch()
            raise MemoryError("no more")
        if self.how == "always hungry":
            raise MemoryError("no more")
        shape = len(trial.splits["test"]), len(trial.info.classes)
        return Evaluation(np.full(shape, 1 / shape[1], np.float32))
"""


class Heard:
    """Writes down how stages begin and end."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []

    @hookimpl
    def medssl_stage_begins(self, stage: StageInfo) -> None:
        self.begun.append(stage.key)

    @hookimpl
    def medssl_stage_ends(self, stage: StageInfo, outcome: Outcome) -> None:
        self.ended.append(stage.key)


@pytest.fixture
def suite(tmp_path: Path):
    def write(how: str, epochs: int = 2) -> Path:
        (tmp_path / "odd.py").write_text(PLUGIN)
        (tmp_path / "suite.toml").write_text(SUITE.replace("HOW", how).replace("EPOCHS", str(epochs)))
        return tmp_path / "suite.toml"

    return write


QUICK = ("odd", "well")
"""Arms that need no encoder built: where nothing is asked of trainings, no worker has to import timm."""


def packed(file: Path, *watchers: object, store: str = "store", only: tuple[str, ...] = ()) -> RunResult:
    loaded = Suite.load(file)
    for watcher in watchers:
        loaded.plugins.manager.register(watcher)
    executor = {"name": "isolated", "jobs": 2}
    where = {"store": file.parent / store, "data_dir": file.parent, "device": "cpu"}
    return run(loaded, **where, executor=executor, only=only)


def files(store: Path) -> dict[str, dict[str, str]]:
    found = Store(store).records()
    return {record.key: {name: file["sha256"] for name, file in record.files.items()} for record in found}


@pytest.mark.slow
def test_each_stage_is_done_once_with_the_bits_of_one_process(suite, monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    file, heard = suite("well"), Heard()

    result = packed(file, heard)

    assert not result.failed
    assert {outcome.status for outcome in result.outcomes} == {"done"}
    assert not any(outcome.elsewhere for outcome in result.outcomes)
    assert sorted(heard.begun) == sorted(heard.ended) == sorted(set(heard.begun))
    run(file, store=file.parent / "alone", data_dir=file.parent, device="cpu", executor="local")
    assert files(file.parent / "store") == files(file.parent / "alone")


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="not told here")
def test_workers_share_the_cores_that_this_process_may_use(monkeypatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3, 4, 5, 9})

    assert [_threads(jobs) for jobs in (2, 3, 9)] == [{"OMP_NUM_THREADS": threads} for threads in ("2", "1", "1")]
    assert _threads(1) == {}, "a worker alone has them all"


@pytest.mark.slow
def test_a_worker_that_dies_fails_its_stages_and_no_others(suite) -> None:
    file, heard = suite("killed"), Heard()

    result = packed(file, heard, only=QUICK)

    assert len(result.failed) == 2
    assert all("killed by SIGKILL" in outcome.reason for outcome in result.failed)
    assert {outcome.status for outcome in result.outcomes if outcome not in result.failed} == {"done"}
    assert sorted(heard.ended) == sorted(set(heard.ended))


@pytest.mark.slow
def test_what_runs_out_of_memory_beside_others_is_done_again_alone(suite) -> None:
    file = suite("hungry")

    result = packed(file, only=QUICK)

    assert not result.failed
    assert list((file.parent / "store").glob("failed/*")) == []


@pytest.mark.slow
def test_what_runs_out_of_memory_alone_too_has_failed(suite) -> None:
    result = packed(suite("always hungry"), only=QUICK)

    assert len(result.failed) == 2
    assert all(outcome.reason.startswith("out of memory") for outcome in result.failed)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_asked_to_stop_each_worker_saves_a_checkpoint(suite) -> None:
    file = suite("well", epochs=3000)
    command = [sys.executable, "-m", "medssl_bench", "run", file.name, "--executor", "isolated", "--device", "cpu"]
    command += ["--executor-set", "jobs=2", "--executor-set", "checkpoint_seconds=0.1"]
    with subprocess.Popen(command, cwd=file.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        end = time.monotonic() + 120
        while len(checkpoints(file.parent / "store")) < 2:
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 75, err
    assert len(list((file.parent / "store").glob("work/*/free/checkpoint.txt"))) == 2
    assert os.getpid() != process.pid
