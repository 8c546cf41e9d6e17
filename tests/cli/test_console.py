"""The width of tables in pipes and logs."""

from __future__ import annotations

import pytest

from medssl_bench.cli.console import standard_output


def test_a_pipe_does_not_squeeze_tables(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    standard_output().print("word " * 24)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_columns_are_kept_to(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    standard_output().print("word " * 24)
    assert len(capsys.readouterr().out.splitlines()) == 2
