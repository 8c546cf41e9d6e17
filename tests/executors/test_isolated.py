"""The isolated executor: a worker that dies takes one stage with it, and ends with who started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from watched import checkpoints, found

from medssl_bench import Suite, hookimpl, run
from medssl_bench.errors import UserError
from medssl_bench.plugin.watching import Epoch, Outcome, StageInfo
from medssl_bench.session.running import RunResult
from medssl_bench.store.store import Store

SUITE = """\
schema = 1
name = "isolated"
plugins = ["ends.py"]
floors = ["majority"]

[[comparison]]
id = "table"
datasets = [{ name = "phantom_cells", train = 40, val = 16, test = 16 }]
labels = [20]
draws = [0]
encoder = { name = "timm", model = "test_resnet" }

ENDS
  [[comparison.arm]]
  name = "well"
  evaluator = { name = "ends", how = "not at all" }

  [[comparison.arm]]
  name = "supervised"
  evaluator = { name = "finetune", epochs = EPOCHS, batch_size = 20 }
"""

PLUGIN = """\
import ctypes
import os
import signal
import sys

import numpy as np

from medssl_bench import hookimpl
from medssl_bench.evaluators import Evaluation, Evaluator


@hookimpl
def medssl_evaluators(register):
    register("ends", Ends)


class Ends(Evaluator):
    \"\"\"Ends the process.\"\"\"

    needs = "encoder"

    def __init__(self, *, how: str):
        self.how = how

    def evaluate(self, trial):
        print("a plugin prints")
        if self.how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "crashes":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.how == "exits":
            os._exit(3)
        if self.how == "raises":
            raise SystemExit("no more")
        shape = len(trial.splits["test"]), len(trial.info.classes)
        return Evaluation(np.full(shape, 1 / shape[1], np.float32))
"""


@pytest.fixture
def suite(tmp_path: Path):
    (tmp_path / "ends.py").write_text(PLUGIN)

    def write(*hows: str, epochs: int = 2) -> Path:
        """Write a suite with an arm, of its name, for each way to end."""
        arms = (
            f'  [[comparison.arm]]\n  name = "{how}"\n  evaluator = {{ name = "ends", how = "{how}" }}' for how in hows
        )
        text = SUITE.replace("ENDS\n", "".join(f"{arm}\n\n" for arm in arms))
        (tmp_path / "suite.toml").write_text(text.replace("EPOCHS", str(epochs)))
        return tmp_path / "suite.toml"

    return write


class _Heard:
    def __init__(self) -> None:
        self.stages: list[tuple[str, str]] = []
        self.epochs: list[Epoch] = []

    @hookimpl
    def medssl_stage_begins(self, stage: StageInfo) -> None:
        self.stages.append(("begins", stage.title.split(" · ")[2]))

    @hookimpl
    def medssl_epoch_ends(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)

    @hookimpl
    def medssl_stage_ends(self, stage: StageInfo, outcome: Outcome) -> None:
        self.stages.append((outcome.status, stage.title.split(" · ")[2]))


def _run(file: Path, *watchers: object, only: tuple[str, ...] = ()) -> RunResult:
    loaded = Suite.load(file)
    for watcher in watchers:
        loaded.plugins.manager.register(watcher)
    store = file.parent / "store"
    return run(loaded, store=store, data_dir=file.parent, device="cpu", executor="isolated", only=only)


def test_what_happens_in_the_worker_is_told_here(suite, capfd) -> None:
    heard = _Heard()
    result = _run(suite(), heard)
    assert not result.failed
    assert heard.stages == [
        (what, arm) for arm in ("majority class", "well", "supervised") for what in ("begins", "done")
    ]
    assert [epoch.index for epoch in heard.epochs] == [0, 1]
    assert all("loss" in epoch.metrics for epoch in heard.epochs)
    (supervised,) = [o for o in result.outcomes if "supervised" in o.stage.title]
    assert supervised.metrics.keys() == {"accuracy", "auroc"}
    assert supervised.seconds > 0
    assert "a plugin prints" not in capfd.readouterr().out, "it must not spoil what the run writes"


REASONS = {
    "killed": "the worker process was killed by SIGKILL (too little memory?)",
    "crashes": "the worker process was killed by SIGSEGV",
    "exits": "the worker process ended with status 3",
    "raises": "SystemExit: no more",
}


@pytest.mark.slow
def test_a_worker_that_dies_takes_one_stage_with_it(suite) -> None:
    """One worker after the other, each of which dies in a way of its own."""
    file, heard = suite(*REASONS), _Heard()
    result = _run(file, heard, only=(*REASONS, "well"))  # a training would be the import of timm, and no other proof
    assert {failed.stage.title.split(" · ")[2]: failed.reason for failed in result.failed} == REASONS
    assert [outcome.status for outcome in result.outcomes if outcome not in result.failed] == ["done"]
    assert heard.stages[-1] == ("done", "well"), "another worker has done what comes after"
    assert [stage for stage in heard.stages if stage[0] == "failed"] == [("failed", how) for how in REASONS]
    store = Store(file.parent / "store")
    for failed in result.failed:
        record = store.failure(failed.stage.key)
        assert record is not None
        assert record.reason == failed.reason
        assert (store.path / "failed" / failed.stage.key / "traceback.txt").is_file()
    assert list((store.path / "work").iterdir()) == []


def test_a_plugin_that_has_changed_since_the_plan_is_refused(suite) -> None:
    file = suite()
    loaded = Suite.load(file)
    (file.parent / "ends.py").write_text(PLUGIN + "\n# changed\n")
    with pytest.raises(UserError, match=r"ends.* has changed since the plan was made; run again"):
        run(loaded, store=file.parent / "store", data_dir=file.parent, device="cpu", executor="isolated")


def test_a_device_that_is_not_there_is_refused(suite) -> None:
    file = suite()
    with pytest.raises(UserError, match="--device tpu9: there is no such device here"):
        run(file, store=file.parent / "store", data_dir=file.parent, device="tpu9", executor="isolated")


def test_a_worker_that_dies_before_it_has_read_its_job_is_told_in_one_line(suite, monkeypatch) -> None:
    import torch  # noqa: F401 - else the process that builds the encoders would be the first to die

    monkeypatch.setattr("medssl_bench.child_process._START", "raise SystemExit(7)")
    file = suite()
    file.write_text(file.read_text().replace("draws = [0]", f"draws = {list(range(60))}"))  # more than a pipe holds
    with pytest.raises(UserError, match="the worker process ended with status 7 before it began a stage"):
        _run(file)


def _training(file: Path, number: int) -> tuple[int, str, list[int]]:
    """Send a signal to a run that is training; return its status, what it said, and the numbers of its workers."""
    command = [sys.executable, "-m", "medssl_bench", "run", file.name, "--executor", "isolated"]
    command += ["--executor-set", "checkpoint_seconds=0.1", "--device", "cpu"]
    with subprocess.Popen(
        command, cwd=file.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        while not checkpoints(file.parent / "store"):
            assert process.poll() is None
            time.sleep(0.01)
        workers = _children(process.pid)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    return process.returncode, err, workers


def _children(number: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{number}/task/{number}/children").read_text().split()]


def _is_alive(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_asked_to_stop_it_lets_the_worker_save_a_checkpoint(suite) -> None:
    file = suite(epochs=2000)
    status, err, workers = _training(file, signal.SIGTERM)
    assert status == 75, err
    assert "stopping at the next step, to save a checkpoint" in err
    assert "Traceback" not in err
    assert len(workers) == 1
    assert not _is_alive(workers[0])
    assert len(list((file.parent / "store").glob("work/*/free/checkpoint.txt"))) == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_killed_it_takes_the_worker_with_it(suite) -> None:
    file = suite(epochs=2000)
    status, _, workers = _training(file, signal.SIGKILL)
    assert status == -signal.SIGKILL
    end = time.monotonic() + 10
    while _is_alive(workers[0]):
        assert time.monotonic() < end
        time.sleep(0.01)
    (owner,) = (file.parent / "store").glob("work/*/*")
    assert (owner / "checkpoint.txt").is_file()
    assert os.getpid() not in workers


SMALL_PIPES = """
import fcntl, os
from medssl_bench.cli import main

pipe = os.pipe

def small():
    read, write = pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    return read, write

os.pipe = small
main()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc, and sets the size of pipes")
def test_while_it_is_stopped_the_worker_goes_on(suite) -> None:
    """More epochs than a pipe can hold messages of: nobody reads them, and the stages are finished all the same."""
    file = suite(epochs=60)
    command = [sys.executable, "-c", SMALL_PIPES, "run", file.name, "--executor", "isolated", "--device", "cpu"]
    with subprocess.Popen(
        command, cwd=file.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            while not found(file.parent / "store", "work/*/*"):
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(signal.SIGSTOP)
            end = time.monotonic() + 300
            while len(found(file.parent / "store", "done/*/*/record.json")) < 3:
                assert time.monotonic() < end
                time.sleep(0.1)
            process.send_signal(signal.SIGCONT)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()  # else a failure above would wait for a stopped process for ever
    assert process.returncode == 0, err
