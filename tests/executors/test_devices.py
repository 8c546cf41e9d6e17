"""Workers that take devices in turn. The processor stands for two of them: torch takes `cpu:0` and `cpu:1`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from medssl_bench import run
from medssl_bench.errors import UserError
from medssl_bench.executors.worker import _own_device
from medssl_bench.session.running import RunResult
from medssl_bench.store.store import Store

SUITE = """\
schema = 1
name = "devices"
plugins = ["waits.py"]
floors = []

[[comparison]]
id = "table"
datasets = [{ name = "phantom_cells", train = 40, val = 16, test = 16 }]
labels = [20]
draws = [0, 1]
encoder = { name = "timm", model = "test_resnet" }

  [[comparison.arm]]
  name = "waits"
  evaluator = "waits"
"""

PLUGIN = """\
import os
import time
from pathlib import Path

import numpy as np

from medssl_bench import hookimpl
from medssl_bench.evaluators import Evaluation, Evaluator

HERE = Path(__file__).parent


@hookimpl
def medssl_evaluators(register):
    register("waits", Waits)


class Waits(Evaluator):
    \"\"\"Waits until as many workers have begun a stage as the file beside it says.\"\"\"

    needs = "encoder"

    def evaluate(self, trial):
        (HERE / f"began-{os.getpid()}").touch()
        end = time.monotonic() + 60
        while len(list(HERE.glob("began-*"))) < int((HERE / "together").read_text()):
            assert time.monotonic() < end
            time.sleep(0.01)
        shape = len(trial.splits["test"]), len(trial.info.classes)
        return Evaluation(np.full(shape, 1 / shape[1], np.float32))
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "waits.py").write_text(PLUGIN)
    (tmp_path / "suite.toml").write_text(SUITE)
    (tmp_path / "together").write_text("1")
    return tmp_path / "suite.toml"


def _run(suite: Path, device: str = "auto", **settings: Any) -> RunResult:
    executor = {"name": "isolated", **settings}
    return run(suite, store=suite.parent / "store", data_dir=suite.parent, device=device, executor=executor)


def _recorded(suite: Path) -> list[str]:
    return sorted(record.provenance["torch_device"] for record in Store(suite.parent / "store").records())


def test_each_worker_has_a_device_which_records_say(suite: Path) -> None:
    (suite.parent / "together").write_text("2")

    assert not _run(suite, devices="cpu:0, cpu:1", jobs=2).failed

    assert _recorded(suite) == ["cpu:0", "cpu:1"]


def test_a_device_that_is_not_here_is_told_before_anything_is_begun(
    suite: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError, match=r"^devices: there is no 'cuda:99' here; there are .*cpu$"):
        _run(suite, devices=["cpu", "cuda:99"], jobs=2)

    assert list(suite.parent.glob("began-*")) == []
    assert _recorded(suite) == []
    assert "Traceback" not in capfd.readouterr().err


def test_devices_beside_a_device_are_refused(suite: Path) -> None:
    with pytest.raises(UserError, match="--device cpu: the executor's devices say where to compute; give one of"):
        _run(suite, device="cpu", devices="auto")


def test_more_devices_than_workers_are_refused(suite: Path) -> None:
    with pytest.raises(UserError, match=r"devices: 2 of them, and jobs = 1: write jobs = 2 or more"):
        _run(suite, devices="cuda:0,cuda:1")


def test_what_names_no_device_of_cuda_is_kept_off_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    chosen: list[str] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)

    assert [_own_device(["auto"], number) for number in range(2)] == chosen == ["cuda:0", "cuda:1"]
