"""The width of tables in pipes and logs, and letters that a locale lacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli.conftest import SUITE, write_squares

from medssl_bench.cli.console import standard_output


def test_a_pipe_does_not_squeeze_tables(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    standard_output().print("word " * 24)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_columns_are_kept_to(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    standard_output().print("word " * 24)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_what_a_locale_has_no_letters_for_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(SUITE, "utf-8")
    write_squares(tmp_path / "squares.npz")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "medssl_bench", "plan", "tiny.toml", "--stages"]
    done = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path, env=environment, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"table \xb7 squares \xb7 majority class" in done.stdout
