"""Where caches go, also where nobody says so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.bad_suites import GOOD
from cli.conftest import Result, write_squares

from medssl_bench.datasets.locations import dataset_context
from medssl_bench.errors import UserError

NOBODY = """
import pwd, sys
def nobody(_number):
    raise KeyError("getpwuid(): uid not found")
pwd.getpwuid = nobody
from medssl_bench.cli import main
sys.argv[0] = "medssl-bench"
main()
"""
"""The command line, of a user who has no entry in the list of users."""


def _is_no_user(_number: int) -> None:
    raise KeyError("getpwuid(): uid not found")


@pytest.fixture
def as_another_user(
    cli: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in this process, as a user who has no home folder and no entry in the list of users."""

    def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
        monkeypatch.chdir(folder)
        monkeypatch.setattr("pwd.getpwuid", _is_no_user)
        for name in set(os.environ) - {"PATH", "OMP_NUM_THREADS"}:
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        done = cli(*arguments)
        return done.status, done.out, done.err

    return run


def _as_another_user(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PYTHON", "OMP", "PATH"))}
    return subprocess.run(
        [sys.executable, "-c", NOBODY, *arguments],
        cwd=folder, env={**kept, **environment}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_squares(tmp_path / "squares.npz")
    (tmp_path / "suite.toml").write_text(GOOD, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        "validate suite.toml", "plan suite.toml", "run suite.toml", "leaderboard suite.toml", "data list",
        "report suite.toml -o report", "embed suite.toml --arm frozen -o x.npz", "export suite.toml --arm frozen -o x",
        "preview simclr -o x.png",
    ],
)  # fmt: skip
def test_without_a_home_folder_there_is_one_line_and_nothing_is_written(
    command: str, folder: Path, as_another_user: Callable[..., tuple[int, str, str]]
) -> None:
    before = set(folder.rglob("*"))
    _, _, err = as_another_user(*command.split())
    _check(err, folder, before)


def test_nor_is_it_where_everything_is_imported(folder: Path) -> None:
    """`doctor` imports all libraries, which may look for folders of their own."""
    before = set(folder.rglob("*"))
    _check(_as_another_user(folder, "doctor").stderr, folder, before)


def _check(err: str, folder: Path, before: set[Path]) -> None:
    (line,) = err.splitlines()
    assert line.startswith("error: there is no folder for downloads and caches: HOME is not set")
    assert "set HOME to a folder" in line
    assert set(folder.rglob("*")) == before


def test_a_home_folder_is_all_that_such_a_user_must_set(folder: Path) -> None:
    done = _as_another_user(folder, "plan", "suite.toml", HOME=str(folder / "home"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 done, " in done.stdout


@pytest.mark.parametrize("command", ["list", "show encoder resnet18", "plugins", "schema", "--help"])
def test_looking_needs_no_home_folder(command: str, as_another_user: Callable[..., tuple[int, str, str]]) -> None:
    status, _, err = as_another_user(*command.split())
    assert (status, err) == (0, "")


def test_a_tilde_that_older_platformdirs_leave_is_no_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("medssl_bench.datasets.locations.user_cache_path", lambda _name: Path("~/.cache/medssl-bench"))
    with pytest.raises(UserError, match="HOME is not set"):
        dataset_context(tmp_path)
