"""The checker of imports, as `make lint` runs it: it passes, and a planted import that runs upwards fails it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

_PLANTED = {
    "upwards": ("store/keys.py", "from medssl_bench.cli.main import main"),
    "upwards, for types alone": ("plan/keys.py", "if 1:\n    from medssl_bench.results.cells import Cell"),
    "in a circle": ("plan/keys.py", "from medssl_bench.plan.build import build_plan"),
    "of torch, where plans are made": ("plan/keys.py", "import torch"),
    "of a module without a layer": ("newcomer.py", ""),
}


def _check(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "medssl_bench", tmp_path / "medssl_bench", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_imports_run_downwards_and_in_no_circle(copy: Path) -> None:
    done = _check(copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", _PLANTED)
def test_a_planted_import_is_found(kind: str, copy: Path) -> None:
    name, line = _PLANTED[kind]
    with (copy / "medssl_bench" / name).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    done = _check(copy)
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout or "newcomer" in done.stdout
