"""What is hashed is what runs: byte code of another source, or of a stranger, does not."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import sys
from pathlib import Path

import pytest
from plugin.conftest import PLUGIN, Install

from medssl_bench.errors import PluginError
from medssl_bench.plugin.manager import load_plugins

CODE = PLUGIN + "\nNUMBER = {number}\n"


def _code(number: int, name: str = "inlined") -> str:
    return CODE.format(name=name, number=number)


def _number(file: Path) -> int:
    """Return the number that the code which runs has."""
    plugins = load_plugins()
    plugins.add_inline(file)
    return int(sys.modules[f"medssl_bench_inline_{file.stem}"].NUMBER)


def _ship_byte_code(source: Path, text: str, mode: py_compile.PycInvalidationMode) -> None:
    """Put byte code of another text in `__pycache__`, as a stranger may ship it."""
    state, kept = source.stat(), source.read_bytes()
    source.write_text(text)
    os.utime(source, ns=(state.st_atime_ns, state.st_mtime_ns))
    py_compile.compile(str(source), invalidation_mode=mode, doraise=True)
    source.write_bytes(kept)
    os.utime(source, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.fixture(autouse=True)
def _byte_code_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def test_two_inline_plugins_of_one_size_and_one_time(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    found = []
    for number in (1, 2):
        file.write_text(_code(number))
        os.utime(file, (1_700_000_000, 1_700_000_000))
        found.append(_number(file))
    assert found == [1, 2]
    assert not (tmp_path / "__pycache__").exists(), "nothing is written for the next one either"


@pytest.mark.parametrize("mode", py_compile.PycInvalidationMode)
def test_byte_code_that_is_shipped_with_an_inline_plugin(mode: py_compile.PycInvalidationMode, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(_code(1))
    _ship_byte_code(file, _code(2), mode)
    assert _number(file) == 1


@pytest.mark.parametrize("kind", ["module", "package"])
@pytest.mark.parametrize("mode", py_compile.PycInvalidationMode)
def test_byte_code_of_what_an_inline_plugin_imports_from_beside(
    mode: py_compile.PycInvalidationMode, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neighbours are on the path only where the user has put the folder there; they are hashed then, too."""
    name = f"beside_{kind}_{mode.name.lower()}"
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "mine.py"
    file.write_text(f"from {name} import NUMBER\n" + PLUGIN.format(name="inlined"))
    part = tmp_path / f"{name}.py" if kind == "module" else tmp_path / name / "__init__.py"
    part.parent.mkdir(exist_ok=True)
    part.write_text("NUMBER = 1\n")
    _ship_byte_code(part, "NUMBER = 2\n", mode)
    importlib.invalidate_caches()
    try:
        assert _number(file) == 1
        part.write_text("NUMBER = 3\n")
        with pytest.raises(PluginError, match=f"{part.name} has changed since it was imported; start Python again"):
            _number(file)
    finally:
        sys.modules.pop(name)


@pytest.mark.parametrize("mode", py_compile.PycInvalidationMode)
def test_byte_code_of_an_editable_plugin(mode: py_compile.PycInvalidationMode, install: Install) -> None:
    name = f"stale_{mode.name.lower()}"
    module = install(name, _code(1, name), editable=True)
    _ship_byte_code(module, _code(2, name), mode)
    (found,) = [plugin for plugin in load_plugins().found if plugin.name == name]
    assert (found.problem, sys.modules[name].NUMBER) == ("", 1)


def test_what_is_imported_later_is_what_was_hashed_before(install: Install, tmp_path: Path) -> None:
    """A factory that is named by its place is imported when it is first used; its source may have changed by then."""
    text = PLUGIN.format(name="lazy_one").replace("factory)", '"lazy_part:factory")')
    install("lazy_one", text + "\nimport importlib\nif 0:\n    import lazy_part\n", editable=True)
    part = tmp_path / "site" / "lazy_part.py"
    part.write_text("def factory(size: int):\n    'First.'\n")
    plugins = load_plugins()
    part.write_text("def factory(size: int):\n    'Other.'\n")
    assert plugins.registry.find("augmentation", "lazy_one").summary == "First."


@pytest.mark.parametrize("how", ["without a source", "before a source"])
def test_compiled_code_in_place_of_source_that_was_hashed(how: str, install: Install, tmp_path: Path) -> None:
    name = "compiled_one" if how == "without a source" else "compiled_two"
    install(name, f"from {name}_pack import part\n" + PLUGIN.format(name=name), editable=True)
    folder = tmp_path / "site" / f"{name}_pack"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    part = folder / "part.py"
    part.write_text("x = 1\n")
    if how == "without a source":
        py_compile.compile(str(part), cfile=str(folder / "part.pyc"), doraise=True)
        part.unlink()
    else:
        (folder / f"part{importlib.machinery.EXTENSION_SUFFIXES[0]}").write_bytes(b"no library")
    importlib.invalidate_caches()
    (found,) = [plugin for plugin in load_plugins().found if plugin.name == name]
    assert "compiled code in place of the source, which was hashed; remove it" in found.problem


def test_a_worker_runs_nothing_of_a_file_that_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(f"open({str(tmp_path / 'it-ran')!r}, 'w')\n" + _code(1))
    with pytest.raises(PluginError, match=r"mine.py has changed since the plan was made; run again"):
        load_plugins().add_inline(file, expected="0" * 64)
    assert not (tmp_path / "it-ran").exists()


def test_source_can_still_be_looked_at(tmp_path: Path) -> None:
    import inspect

    file = tmp_path / "seen.py"
    file.write_text(_code(1))
    plugins = load_plugins()
    plugins.add_inline(file)
    factory = plugins.registry.find("augmentation", "inlined").factory
    assert "An augmentation of inlined." in inspect.getsource(factory)
    spec = importlib.util.find_spec("medssl_bench_inline_seen")
    assert spec is not None
    assert spec.origin == str(file)
