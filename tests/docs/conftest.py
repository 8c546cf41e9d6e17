"""The reader of pages, as a fixture."""

from __future__ import annotations

import os
import sys

import pytest
from docs.reader import Reader


@pytest.fixture
def reader(tmp_path, monkeypatch, capsys):
    """Make readers of pages, in a fresh folder; whatever they import or set is undone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in [name for name in os.environ if name.startswith("MEDSSL_BENCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # this machine may be calibrated
    monkeypatch.setenv("MEDSSL_BENCH_EXECUTOR", "local")  # a worker process would import torch again for every command
    yield lambda page: Reader(page, capsys, monkeypatch)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(f"{tmp_path}/"):
            del sys.modules[name]
