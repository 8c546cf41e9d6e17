"""Suites whose inline plugins misbehave before anything runs: exit status 2 and one line, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PLUGIN = """
from medssl_bench import hookimpl
from medssl_bench.datasets import Dataset, DatasetInfo, Task
from medssl_bench.evaluators import Evaluator

@hookimpl
def medssl_{kind}s(register):
    register("mine", make)

class Unknown(Dataset):
    def info(self):
        raise LookupError("no idea")
    def fingerprint(self):
        return "x"
    def load(self):
        raise LookupError("nothing here")

class Text(Unknown):
    def info(self):
        return "some text"

class Partial(Unknown):
    def info(self):
        return DatasetInfo("Partial", Task.BINARY, ("a", "b"), 3, 28, {"train": 50})

class Unseen(Unknown):
    def info(self):
        return None
    def fingerprint(self):
        return None

class Refusing(Evaluator):
    def refuses(self, info):
        raise LookupError("no idea")
    def evaluate(self, trial):
        raise NotImplementedError

class Estimating(Refusing):
    def refuses(self, info):
        return ""
    def images_seen(self, train):
        raise LookupError("no idea")

class Counting(Estimating):
    def images_seen(self, train):
        return "many"

"""
RAISES = "raise ValueError('not today')"
WHOLE = ("validate", "plan", "run")


def _spoil(tiny: Path, kind: str, factory: str, old: str = "", new: str = "") -> None:
    text = tiny.read_text()
    assert old in text
    text = text.replace(old, new) if old else text
    tiny.write_text(text.replace("seeds = [0]", 'seeds = [0]\nplugins = ["mine.py"]', 1))
    Path("mine.py").write_text(PLUGIN.replace("{kind}", kind) + factory)


def _line(result: Any) -> str:
    assert result.status == 2, result.err
    assert "Traceback" not in result.err
    (line,) = [line for line in result.err.splitlines() if not line.startswith("note: ")]
    return str(line)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (RAISES, "not today"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("return None", "its factory gives NoneType, not Dataset"),
        ("return Unknown()", "LookupError: no idea"),
        ("return Text()", "TypeError: info() gives str, not DatasetInfo"),
        ("return Partial()", "info(): counts is {'train': 50}, not a table of train, val, test"),
    ],
)
def test_a_data_set(body: str, what: str, cli: Any, tiny: Path) -> None:
    _spoil(tiny, "dataset", f"def make(context):\n    {body}\n", 'datasets = ["squares"]', 'datasets = ["mine"]')
    for verb in WHOLE:
        assert _line(cli(verb, tiny)).endswith(f": comparison[0].datasets[0]: dataset 'mine': {what}")
    assert not Path("store").exists()


def test_a_data_set_that_cannot_be_fetched(cli: Any, tiny: Path) -> None:
    factory = "def make(context):\n    return Unseen()\n"
    _spoil(tiny, "dataset", factory, 'datasets = ["squares"]', 'datasets = ["mine"]')
    assert _line(cli("run", tiny)) == "error: dataset 'mine': LookupError: nothing here"


def test_a_source_of_a_pretraining(cli: Any, tiny: Path) -> None:
    _spoil(tiny, "dataset", f"def make(context):\n    {RAISES}\n", '["nat"]', '[{ recipe = "nat", on = "mine" }]')
    for verb in WHOLE:
        assert _line(cli(verb, tiny)).endswith("dataset 'mine': not today")


@pytest.mark.parametrize(
    ("factory", "what"),
    [
        (f"def make():\n    {RAISES}\n", "not today"),
        ("def make():\n    return None\n", "its factory gives NoneType, not Evaluator"),
        ("def make():\n    return Refusing()\n", "LookupError: no idea"),
        ("def make():\n    return Estimating()\n", "LookupError: no idea"),
        ("def make():\n    return Counting()\n", "TypeError: images_seen() gives 'many', not a number of images (int)"),
    ],
)
def test_an_evaluator(factory: str, what: str, cli: Any, tiny: Path) -> None:
    _spoil(tiny, "evaluator", factory, '{ name = "linear_probe", epochs = 20 }', '"mine"')
    for verb in WHOLE:
        assert _line(cli(verb, tiny)).endswith(f": evaluator 'mine': {what}")


def test_an_evaluator_that_needs_what_there_is_not(cli: Any, tiny: Path) -> None:
    factory = "Estimating.needs = 'a miracle'\ndef make():\n    return Estimating()\n"
    _spoil(tiny, "evaluator", factory, '{ name = "linear_probe", epochs = 20 }', '"mine"')
    line = _line(cli("validate", tiny))
    assert line.endswith(".evaluator: evaluator 'mine' needs 'a miracle', which is none of labels, features, encoder")


def test_an_evaluator_that_refuses_scaled_epochs(cli: Any, tiny: Path) -> None:
    factory = """
def make(*, epochs: int = 20):
    if epochs < 10:
        raise ValueError(f"{epochs} epochs are too few")
    return Estimating()

Estimating.images_seen = Evaluator.images_seen
Estimating.needs = "encoder"
"""
    _spoil(tiny, "evaluator", factory, '{ name = "linear_probe", epochs = 20 }', '"mine"')
    assert cli("validate", tiny).status == 0
    line = _line(cli("plan", tiny, "--epochs-scale", "0.1"))
    assert line.endswith(": comparison[0]: evaluator 'mine': 2 epochs are too few")


@pytest.mark.parametrize(
    ("body", "what"), [(RAISES, "not today"), ("return None", "its factory gives NoneType, not Executor")]
)
def test_an_executor(body: str, what: str, cli: Any, tiny: Path) -> None:
    _spoil(tiny, "executor", f"def make():\n    {body}\n")
    assert _line(cli("run", tiny, "--executor", "mine")) == f"error: executor 'mine': {what}"


@pytest.mark.parametrize(
    ("body", "what"), [("raise SystemExit(0)", ": SystemExit: 0"), ("return None", " does not give a list of outcomes")]
)
def test_an_executor_that_does_not_run_the_stages(body: str, what: str, cli: Any, tiny: Path) -> None:
    factory = f"""
from medssl_bench.executors import Executor

class Idle(Executor):
    def run(self, job):
        {body}

def make():
    return Idle()
"""
    _spoil(tiny, "executor", factory)
    assert _line(cli("run", tiny, "--executor", "mine")) == f"error: executor 'mine'{what}"


@pytest.mark.parametrize(
    ("body", "what"), [(RAISES, "not today"), ("return None", "its factory gives NoneType, not Reference")]
)
def test_a_reference(body: str, what: str, cli: Any, tiny: Path) -> None:
    factory = f"def make(table):\n    {body}\n"
    _spoil(tiny, "reference", factory, 'baseline = "supervised"', 'reference = "mine:table"')
    for verb in (*WHOLE, "leaderboard"):
        assert _line(cli(verb, tiny)).endswith(f": comparison[0].reference: reference 'mine': {what}")


def test_an_installed_data_set_is_left_out_of_the_list(cli: Any, tmp_path: Path, monkeypatch: Any) -> None:
    info = tmp_path / "spoilt_sets-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: spoilt_sets\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[medssl_bench]\nspoilt_sets = spoilt_sets\n")
    factory = "def make(context):\n    return Unknown()\n"
    (tmp_path / "spoilt_sets.py").write_text(PLUGIN.replace("{kind}", "dataset") + factory)
    monkeypatch.syspath_prepend(tmp_path)
    result = cli("data", "list", "--json", "--data-dir", tmp_path)
    assert (result.status, result.err) == (0, "warning: dataset 'mine': LookupError: no idea\n")
    assert "bloodmnist" in {row["name"] for row in json.loads(result.out)}
