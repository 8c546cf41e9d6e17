"""``plan``: what its times rest on; ``doctor --calibrate``, which measures for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medssl_bench.calibration import bench, stages, training, views
from medssl_bench.costs.machine import device_text, this_machine
from medssl_bench.costs.measured import Calibration, known_calibration
from medssl_bench.costs.units import ROUGH

Cli = Callable[..., Any]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a cache folder that knows no calibration."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setattr("medssl_bench.datasets.locations.user_cache_path", lambda name: tmp_path / "caches" / name)
    return tmp_path / "caches" / "medssl-bench"


def _calibration(**machine: Any) -> Calibration:
    found = Calibration.of(device_text("cpu"), 1, {unit: 10 * cost for unit, cost in ROUGH.items()})
    return replace(found, machine=replace(this_machine(), **machine))


def _bases(cli: Cli, *more: str) -> set[str | None]:
    return {stage["estimate_basis"] for stage in json.loads(cli("plan", "tiny.toml", "--json", *more).out)["stages"]}


def test_a_new_machine_is_estimated_roughly(cli: Cli, tiny: Path, cache: Path) -> None:
    out = cli("plan", tiny).out
    assert out.endswith("this time is rough: medssl-bench doctor --calibrate measures this machine in a minute\n")
    assert _bases(cli) == {"rough"}
    assert not (cache / "calibration.json").exists()


def test_it_says_what_epochs_are_selected_by(cli: Cli, tiny: Path) -> None:
    told = "epochs selected with all 18 validation labels"
    assert f"table: {told}\n" in cli("plan", tiny).out
    assert json.loads(cli("plan", tiny, "--json").out)["selected_by"] == {"table": told}


@pytest.mark.parametrize("columns", [80, 160])
def test_a_line_for_each_arm(columns: int, cli: Cli, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    tiny.write_text(tiny.read_text("utf-8").replace('"frozen"', f'"{"long name, " * 7}"'), "utf-8")
    out = cli("plan", tiny).out
    lines = [line.rstrip() for line in out.splitlines()]
    assert max(len(line) for line in lines[: lines.index("")]) <= columns
    assert lines[0] == "Squares"
    assert lines[1].split() == ["arm", "results", "to", "do", "done", "images", "time"]
    assert lines[2].split()[:6] == ["majority", "class", "1", "1", "0", "0"]
    assert any(line.split()[:5] == ["untrained", "encoder", "3", "5", "0"] for line in lines), "features, an analysis"
    (total,) = [line.split() for line in lines if line.startswith("total")]
    wanted = json.loads(cli("plan", tiny, "--json").out)["stages"]
    assert total[1:4] == ["10", str(len(wanted)), "0"]
    images = sum(stage["images"] for stage in wanted if stage["kind"] in {"pretrain", "evaluate"})
    assert total[4] == f"{images:,}"
    assert " · " not in out, "stages are shown on request"


def test_stages_on_request(cli: Cli, tiny: Path) -> None:
    wanted = json.loads(cli("plan", tiny, "--json").out)["stages"]
    out = cli("plan", tiny, "--stages").out
    assert [stage["key"][:12] in out for stage in wanted] == [True] * len(wanted)
    assert out.splitlines()[0].split() == ["key", "stage", "status", "time"]


def test_why_an_arm_is_done_again(cli: Cli, ran: Path) -> None:
    assert "supervised               3      0     9" in cli("plan", ran).out
    ran.write_text(ran.read_text("utf-8").replace("epochs = 20", "epochs = 21"), "utf-8")
    out = cli("plan", ran).out
    assert "'frozen': 3 to do: evaluator.parameters.epochs: 20 -> 21\n" in out
    assert "'supervised': " not in out


def test_arms_of_data_that_is_not_here_have_no_time(cli: Cli, tiny: Path) -> None:
    Path("squares.npz").unlink()
    (line,) = [line.split() for line in cli("plan", tiny).out.splitlines() if line.startswith("supervised")]
    assert line[-1] == "?"


def test_a_calibration_counts(cli: Cli, tiny: Path, cache: Path) -> None:
    before = json.loads(cli("plan", tiny, "--json").out)["stages"]
    _calibration().write(cache)
    assert cli("plan", tiny).out.endswith("\nthis time is calibrated for this machine\n")
    after = json.loads(cli("plan", tiny, "--json").out)["stages"]
    assert {stage["estimate_basis"] for stage in after} == {"calibrated"}
    assert sum(s["estimate"] for s in after) == pytest.approx(10 * sum(s["estimate"] for s in before))


def test_records_count_before_it(cli: Cli, ran: Path, cache: Path) -> None:
    _calibration().write(cache)
    assert _bases(cli) == {None}, "all is done"
    out = cli("plan", ran, "--seeds", "7").out
    assert "measured here, by records of like stages" in out
    assert "measured" in _bases(cli, "--seeds", "7")


def test_one_of_another_machine_is_told_and_does_not_count(cli: Cli, tiny: Path, cache: Path) -> None:
    _calibration(torch="1.0").write(cache)
    out = cli("plan", tiny).out
    assert "this time is rough" in out
    assert out.splitlines()[-1].endswith("medssl-bench doctor --calibrate measures again")
    assert "does not count: it is of another torch (1.0, here" in out
    found = cli("plan", tiny, "--json")
    assert found.err.startswith("warning: the calibration of ")
    assert _bases(cli) == {"rough"}


def test_another_device_asks_for_another_calibration(cli: Cli, tiny: Path, cache: Path) -> None:
    _calibration().write(cache)
    assert _bases(cli, "--device", "cpu") == {"calibrated"}
    assert _bases(cli, "--device", "cuda") == {"rough"}
    assert "it is of another device (cpu: " in cli("plan", tiny, "--device", "cuda").out


def test_a_broken_file_is_one_line(cli: Cli, tiny: Path, cache: Path) -> None:
    file = _calibration().write(cache)
    file.write_text("{")
    found = cli("plan", tiny)
    assert found.status == 0
    assert found.out.splitlines()[-1].startswith(f"{file}: this is no calibration (")


def _twice(timer: bench.Timer, seconds: float) -> None:
    """Take a time that warms up, and one that counts."""
    timer._times.append(seconds)
    if len(timer._times) > 1:
        raise bench.Enough


@pytest.fixture
def little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every part be measured twice, on a small encoder and 128 images: nothing here says how fast it is.

    They are two batches of the probe. Processes are started in tests/calibration.
    """
    for module in (training, views):
        monkeypatch.setattr(module, "IMAGES", 128)
    monkeypatch.setattr(bench.Timer, "add", _twice)
    small = "encoder = { name = 'timm', model = 'test_resnet' }"
    suite = bench._SUITE.replace(str(bench.IMAGES), "128")
    for line in ('augmentation = "plain"\n', 'baseline = "finetune"\n'):
        assert line in suite
        suite = suite.replace(line, f"{line}{small}\n")
    monkeypatch.setattr(bench, "_SUITE", suite)
    monkeypatch.setattr(stages, "_start", lambda: None)


@pytest.mark.slow
@pytest.mark.usefixtures("little_work")
def test_doctor_calibrates(cli: Cli, tiny: Path, cache: Path) -> None:
    found = cli("doctor", "--calibrate", "--device", "cpu")
    assert found.status == 0, found.out
    assert "milliseconds of pretraining, float32: pretrain image float32 " in found.out
    assert f"calibration: {cache / 'calibration.json'}" in found.out
    made = known_calibration(cache, "cpu").calibration
    assert made is not None
    names = {unit.partition(":")[0] for unit in made.costs}
    assert names == {unit.partition(":")[0] for unit in ROUGH} - {"analysis"}
    assert {f"{unit} image:bfloat16" for unit in ("pretrain", "finetune", "forward")} <= made.costs.keys()
    assert all(cost >= 0 for cost in made.costs.values())
    assert _bases(cli) == {"calibrated"}


def test_a_cache_that_cannot_be_written_is_told(cli: Cli, tiny: Path, cache: Path) -> None:
    cache.parent.write_text("a file")
    found = cli("doctor", "--calibrate", "--device", "cpu")
    assert found.status == 1
    assert "BAD calibration: cannot be kept: " in found.out


_ASKED = """
from medssl_bench import hookimpl
from medssl_bench.executors import Executor


class Asked(Executor):
    def __init__(self, jobs):
        self.jobs = jobs

    def run(self, job):
        raise AssertionError("a plan runs nothing")

    def outline(self, job):
        return [f"{len(job.stages)} stages on {job.device}, {self.jobs} at a time"]


def asked(*, jobs: int = 1):
    return Asked(jobs)


@hookimpl
def medssl_executors(register):
    register("asked", asked)
"""


def test_an_executor_says_how_it_would_run_what_is_left(cli: Cli, tiny: Path) -> None:
    (tiny.parent / "asked.py").write_text(_ASKED)
    tiny.write_text(tiny.read_text("utf-8").replace("seeds = [0]", 'seeds = [0]\nplugins = ["asked.py"]'), "utf-8")
    shown = cli("plan", tiny, "--executor", "asked", "--executor-set", "jobs=3", "--device", "cpu")
    assert shown.out.endswith(" stages on cpu, 3 at a time\n")
    found = json.loads(cli("plan", tiny, "--executor", "asked", "--json").out)
    number = sum(stage["status"] == "to run" for stage in found["stages"])
    assert found["executor"] == {"name": "asked", "outline": [f"{number} stages on auto, 1 at a time"]}
    assert "executor" not in json.loads(cli("plan", tiny, "--json").out)
    assert cli("plan", tiny, "--executor", "local").out == cli("plan", tiny).out, "it says nothing"
    missing = cli("plan", tiny, "--executor", "no_such")
    assert missing.status == 2
    assert "there is no executor 'no_such'" in missing.err
