"""Digests of source: all that importing a plugin may run beside it, and nothing else."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
from plugin.conftest import PLUGIN, Install

from medssl_bench.plugin.content import read_source, with_imports
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.plugin.registry import Plugin


def _write(root: Path, **files: str) -> None:
    for name, text in files.items():
        file = root / (name.replace("__in", "/__init__").replace("___", "/") + ".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_a_module_alone_is_as_before(tmp_path: Path) -> None:
    _write(tmp_path, mine="import json, numpy.linalg\nfrom medssl_bench import hookimpl\n", other="x = 1")
    (tmp_path / "medssl_bench").mkdir()
    (tmp_path / "medssl_bench" / "__init__.py").touch()
    content = (tmp_path / "mine.py").read_bytes()
    assert read_source(tmp_path / "mine.py").digest == hashlib.sha256(b"mine.py\0" + content + b"\0").hexdigest()


@pytest.mark.parametrize(
    ("code", "counts"),
    [
        ("import one", {"one.py"}),
        ("import one.two", {"one.py"}),
        ("def f():\n    from two import x", {"two.py", "three.py"}),
        ("import pack.inner", {"pack/__init__.py", "pack/inner.py", "three.py"}),
        ("from pack import inner", {"pack/__init__.py", "pack/inner.py", "three.py"}),
        ("register('x', 'one:make')", {"one.py"}),
        ("register('x', 'pack.inner:make')", {"pack/__init__.py", "pack/inner.py", "three.py"}),
        ("register('x', 'see one: make')", set()),
        ("from space import deep", {"space/deep.py", "space/near.py"}),
        ("import space", set()),
        ("import four", set()),
        ("import (", set()),
    ],
)
def test_what_is_imported_from_beside_counts(code: str, counts: set[str], tmp_path: Path) -> None:
    _write(tmp_path, mine=code, one="import one", two="import three", three="import two")
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("from . import inner")
    (tmp_path / "pack" / "inner.py").write_text("import three")
    (tmp_path / "three.py").write_text("x = 1")
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "deep.py").write_text("from .near import x\nfrom ..outside import y\n")
    (tmp_path / "space" / "near.py").write_text("x = 1")
    found = with_imports([tmp_path / "mine.py"], tmp_path)
    assert {file.relative_to(tmp_path).as_posix() for file in found} == {"mine.py", *counts}


def test_modules_beside_an_editable_module_count(install: Install, tmp_path: Path) -> None:
    def plugin() -> Plugin:
        (found,) = [plugin for plugin in load_plugins().found if plugin.name == "split_one"]
        return found

    install("split_one", "import split_part\n" + PLUGIN.format(name="split_one"), editable=True)
    part = tmp_path / "site" / "split_part.py"
    part.write_text("x = 1\n")
    first = plugin()
    assert not first.problem
    part.write_text("x = 2\n")
    changed = plugin()
    assert changed.source != first.source
    assert changed.problem == "split_part.py has changed since it was imported; start Python again", "the old one runs"
    del sys.modules["split_part"], sys.modules["split_one"]
    assert plugin() == changed.__class__(**{**vars(changed), "problem": ""})


def test_a_plugin_in_a_namespace_counts_by_its_source(install: Install, tmp_path: Path) -> None:
    def source() -> str | None:
        (found,) = [plugin for plugin in load_plugins().found if plugin.name == "spaced"]
        assert not found.problem
        return found.source

    folder = tmp_path / "site" / "spaced_names" / "of_one"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "plugin.py").write_text(PLUGIN.format(name="spaced"))
    install("spaced_dist", "", editable=True, entry="spaced = spaced_names.of_one.plugin")
    first = source()
    assert first is not None
    (folder / "more.py").write_text("x = 1\n")
    assert source() != first
