"""Distributions that are made for a test: real folders with metadata and entry points, on the path of imports."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Install = Callable[..., Path]

PLUGIN = '''
from medssl_bench import hookimpl

@hookimpl
def medssl_augmentations(register):
    register("{name}", factory)

def factory(size: int, *, strength: float = 1.0):
    """An augmentation of {name}."""
'''


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution with one module and one entry point; its name must be that of no other test's module."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def install(name: str, code: str | None = None, *, editable: bool = False, entry: str | None = None) -> Path:
        module = site / f"{name}.py"
        module.write_text(PLUGIN.format(name=name) if code is None else code, "utf-8")
        info = site / f"{name}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[medssl_bench]\n{entry or f'{name} = {name}'}\n")
        if editable:
            (info / "direct_url.json").write_text(json.dumps({"url": "file:///x", "dir_info": {"editable": True}}))
        importlib.invalidate_caches()
        return module

    yield install
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(site) in str(sys.modules[name].__file__):
            del sys.modules[name]
