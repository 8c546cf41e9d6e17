"""Malformed suites through the real command line: exit status 2 and one line with file, line, key and what to do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli.bad_suites import CASES, GOOD, Case


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with a small data set, in which nothing may be written."""
    generator = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 60), ("val", 12), ("test", 12)):
        arrays[f"{split}_images"] = generator.integers(0, 255, (count, 28, 28), dtype=np.uint8)
        arrays[f"{split}_labels"] = (np.arange(count) % 3).astype(np.uint8)[:, None]
    np.savez(tmp_path / "squares.npz", **arrays)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(folder: Path, case: Case) -> set[Path]:
    assert GOOD.count(case.old) == 1 or not case.old
    (folder / "suite.toml").write_text(GOOD.replace(case.old, case.new) if case.old else case.new, "utf-8")
    for name, content in case.files.items():
        (folder / name).write_text(content, "utf-8")
    return set(folder.rglob("*"))


def _check(case: Case, before: set[Path], folder: Path, result: Any) -> None:
    assert result.status == 2, result.err
    lines = [line for line in result.err.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 1, "one line for one problem"
    assert lines[0].startswith(f"error: suite.toml:{case.where}: "), lines[0]
    assert case.what in lines[0]
    assert result.out == ""
    assert "Traceback" not in result.err
    assert {path for path in folder.rglob("*") if "__pycache__" not in path.parts} == before, "nothing is written"


def test_the_suite_is_good_before_it_is_spoilt(cli: Callable[..., Any], folder: Path) -> None:
    (folder / "suite.toml").write_text(GOOD)
    result = cli("validate", "suite.toml")
    assert (result.status, result.err) == (0, "")
    assert "suite.toml: valid; 1 comparison(s), 8 trials" in result.out


@pytest.mark.parametrize("name", CASES)
def test_malformed_suite(name: str, cli: Callable[..., Any], folder: Path) -> None:
    before = _write(folder, CASES[name])
    _check(CASES[name], before, folder, cli("validate", "suite.toml"))


@pytest.mark.parametrize("name", [*CASES][::3])
def test_run_says_the_same(name: str, cli: Callable[..., Any], folder: Path) -> None:
    """Of every third: it reads a suite as `validate` does."""
    before = _write(folder, CASES[name])
    _check(CASES[name], before, folder, cli("run", "suite.toml"))


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("data that is not there")][::5])
@pytest.mark.parametrize("verb", ["plan", "leaderboard"])
def test_the_other_verbs_say_the_same(name: str, verb: str, cli: Callable[..., Any], folder: Path) -> None:
    before = _write(folder, CASES[name])
    _check(CASES[name], before, folder, cli(verb, "suite.toml"))


@pytest.mark.parametrize("name", ["thousands of brackets", "more labels than images"])
def test_as_a_command(name: str, folder: Path) -> None:
    before = _write(folder, CASES[name])
    command = [sys.executable, "-m", "medssl_bench", "run", "suite.toml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    class Result:
        status, out, err = done.returncode, done.stdout, done.stderr

    _check(CASES[name], before, folder, Result)


def test_a_file_that_is_not_utf8(cli: Callable[..., Any], folder: Path) -> None:
    (folder / "suite.toml").write_bytes(GOOD.replace("good", "caf\xe9").encode("latin-1"))
    result = cli("validate", "suite.toml")
    assert result.status == 2
    assert result.err == "error: suite.toml:2: the file is not UTF-8; save it as UTF-8\n"


def test_a_file_that_is_not_there_and_a_folder(cli: Callable[..., Any], folder: Path) -> None:
    for name, reason in {"no.toml": "No such file or directory", ".": "Is a directory", "squares.npz": "UTF-8"}.items():
        result = cli("run", name)
        assert result.status == 2
        assert len(result.err.splitlines()) == 1
        assert name in result.err
        assert reason in result.err
    assert not (folder / "store").exists()


def test_every_problem_of_a_suite_is_told(cli: Callable[..., Any], folder: Path) -> None:
    spoilt = (
        GOOD.replace('"finetune"', '"fintune"').replace('["nat"]', '["nut"]').replace("seeds = [0]", "seeds = [1, 1]")
    )
    (folder / "suite.toml").write_text(spoilt)
    result = cli("validate", "suite.toml")
    assert result.status == 2
    starts = [line.split(": ")[1:3] for line in result.err.splitlines()]
    assert sorted(starts) == [
        ["suite.toml:21", "comparison[0].arm[0].evaluator"],
        ["suite.toml:25", "comparison[0].arm[1].pretraining[0]"],
        ["suite.toml:3", "seeds[1]"],
    ]


def test_of_thousands_of_problems_the_first_are_told(cli: Callable[..., Any], folder: Path) -> None:
    (folder / "suite.toml").write_text("".join(f"key{number} = 1\n" for number in range(3000)) + GOOD)
    result = cli("validate", "suite.toml")
    assert result.status == 2
    lines = result.err.splitlines()
    assert lines[0].startswith("error: suite.toml:1: key0: unknown key")
    assert lines[99].startswith("error: suite.toml:100: key99: unknown key")
    assert lines[100:] == ["error: and 2,900 problems more"]


def test_an_inherited_problem_is_told_of_the_file_that_has_it(cli: Callable[..., Any], folder: Path) -> None:
    (folder / "base.toml").write_text(GOOD.replace("epochs = 10", "epochs = -1"))
    (folder / "suite.toml").write_text('extends = "base.toml"\nname = "heir"\n')
    result = cli("validate", "suite.toml")
    assert result.err.startswith("error: base.toml:11: pretraining.nat.epochs: ")
