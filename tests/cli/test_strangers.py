"""A suite's folder of a stranger: nothing of it runs but the plugins that the suite names, and that is said before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli.conftest import write_squares

SUITE = """\
schema = 1
name = "tiny"
{plugins}

[dataset.squares]
name = "npz"
path = "squares.npz"

[[comparison]]
id = "table"
datasets = ["squares"]
labels = [20]
baseline = "floor"

  [[comparison.arm]]
  name = "floor"
  evaluator = "majority"
"""

MODULES = [
    "torch", "json", "typing", "click", "tomllib", "numpy", "sitecustomize", "usercustomize", "readline", "kornia",
    "rich", "pydantic", "pluggy", "importlib_metadata", "matplotlib", "tkinter", "wandb", "tensorflow", "triton",
]  # fmt: skip
PROGRAMS = ["git", "uname", "ldconfig", "fc-list", "gcc", "cc", "nvidia-smi", "lscpu", "file", "ld", "python", "less"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a suite, and files that would run if anything took them for what they are called."""
    write_squares(tmp_path / "squares.npz")
    (tmp_path / "suite.toml").write_text(SUITE.format(plugins=""))
    for name in MODULES:
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'it-ran')!r}, 'a').write({name!r} + ' ')\n")
    for name in PROGRAMS:
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path / 'it-ran'}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nsavefig.facecolor: red\n")
    return tmp_path


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": os.pathsep.join([".", "", os.environ["PATH"]])}
    environment.pop("PYTHONSAFEPATH", None)
    command = [sys.executable, "-m", "medssl_bench", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.parametrize("command", ["--version", "validate suite.toml", "plan suite.toml", "list"])
def test_what_lies_beside_a_suite_is_not_run(command: str, folder: Path) -> None:
    done = _run(folder, *command.split())
    assert done.returncode == 0, done.stderr
    assert not (folder / "it-ran").exists(), (folder / "it-ran").read_text()


@pytest.mark.slow
def test_what_lies_beside_a_suite_is_not_run_by_its_run_and_report(folder: Path) -> None:
    done = _run(folder, "run", "suite.toml")
    assert done.returncode == 0, done.stderr
    report = _run(folder, "report", "suite.toml", "-o", "report")
    assert report.returncode == 0, report.stderr
    assert not (folder / "it-ran").exists(), (folder / "it-ran").read_text()


def test_the_files_would_run_where_python_trusts_the_folder(folder: Path) -> None:
    subprocess.run([sys.executable, "-c", "import torch"], cwd=folder, check=False, capture_output=True)
    assert (folder / "it-ran").read_text().split() == ["torch"]


@pytest.mark.parametrize(
    "code",
    [
        "import os; os._exit(0)",
        "import os; os.close(2)",
        "import sys, io; sys.stderr = io.StringIO()",
        "import sys; sys.stderr.close()",
        "import click; click.echo = lambda *_, **__: None",
    ],
)
def test_that_code_will_run_is_said_before_it_runs(code: str, folder: Path) -> None:
    (folder / "suite.toml").write_text(SUITE.format(plugins='plugins = ["mine.py"]'))
    (folder / "mine.py").write_text(code)
    done = _run(folder, "validate", "suite.toml")
    assert done.stderr.startswith("note: suite.toml runs the code of mine.py, named there as a plugin\n")
    assert (folder / "it-ran").exists() is False


def test_a_name_of_a_plugin_cannot_write_to_the_terminal(folder: Path) -> None:
    (folder / "suite.toml").write_text(SUITE.format(plugins='plugins = ["a\\u001b[2K.py"]'))
    (folder / "a\x1b[2K.py").write_text("x = 1")
    done = _run(folder, "validate", "suite.toml")
    assert "\x1b" not in done.stderr
    assert r"runs the code of a\x1b[2K.py, named there" in done.stderr
