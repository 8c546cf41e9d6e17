"""Executes the documentation: what it tells the reader to save, to run and to expect is true."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from docs.pages import PAGES
from docs.reader import Reader


@pytest.fixture
def reader(tmp_path, monkeypatch, capsys):
    """Make readers of pages, in a fresh folder; whatever they import or set is undone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in [name for name in os.environ if name.startswith("MEDSSL_BENCH_")]:
        monkeypatch.delenv(name)
    known = set(sys.modules)
    yield lambda page: Reader(page, capsys, monkeypatch)
    for name in set(sys.modules) - known:
        if name.startswith("medssl_bench_"):
            del sys.modules[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(page, reader):
    reader(page).read()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```python\nassert 1 == 2\n```\n", "AssertionError"),
        ('```toml\nschema = 1\nname = "x"\ncomparisons = []\n```\n', "comparisons: unknown key"),
        ("```toml fragment\n[pretraining.a]\nepoch = 3\n```\n", "epoch"),
        ("```console\n$ medssl-bench show op no_such\n```\n", "exit status 2"),
        ("```console\n$ medssl-bench --version\nmedssl-bench version 1\n```\n", "does not print"),
        ("```console\n$ medssl-bnech run\n```\n", "not a command"),
        ("```bash\nmedssl-bench list\n```\n", "console blocks"),
    ],
)
def test_a_page_that_is_wrong_fails(text, complaint, reader, tmp_path):
    page = Path("wrong.md")
    page.write_text(text, "utf-8")
    with pytest.raises((AssertionError, pytest.fail.Exception)) as caught:
        reader(page).read()
    assert complaint in f"{caught.type.__name__} {caught.value}"
