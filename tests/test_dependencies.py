"""What is imported is declared in pyproject.toml, and what is declared is meant."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
NAMES = {"PIL": "pillow", "sklearn": "scikit-learn", "open_clip": "open-clip-torch", "mlflow": "mlflow-skinny"}
"""Distributions that are called otherwise than their module, apart from - and _."""

OURS = {
    "medssl_bench", "medssl_bench_thesis", "medssl_bench_methods", "medssl_bench_cluster", "medssl_bench_trackers",
    "medssl_bench_example", "benchmarks",
}  # fmt: skip
TYPES_ONLY = {"_typeshed"}  # of type checkers; no distribution has it


def imported(source: str) -> Iterator[str]:
    """Yield the top-level packages that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


def distributions(folder: Path) -> set[str]:
    modules = {name for file in folder.rglob("*.py") for name in imported(file.read_text("utf-8"))}
    return {_normal(NAMES.get(name, name)) for name in modules - set(sys.stdlib_module_names) - OURS - TYPES_ONLY}


def declared(project: dict, *extras: str) -> set[str]:
    texts = [*project["dependencies"], *(text for extra in extras for text in project["optional-dependencies"][extra])]
    return {_normal(re.match(r"[\w.-]+", text)[0]) for text in texts}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_what_the_package_imports_is_declared():
    assert distributions(ROOT / "medssl_bench") <= declared(
        PROJECT["project"], "notebook", "dicom", "lora", "parquet", "transformers", "open-clip", "testing"
    )


def test_what_the_benchmarks_import_is_declared():
    assert distributions(ROOT / "benchmarks") <= declared(PROJECT["project"], "dev")


@pytest.mark.parametrize("folder", sorted((ROOT / "plugins").iterdir()), ids=lambda folder: folder.name)
def test_what_a_plugin_imports_is_declared(folder):
    own = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    code = [part for part in folder.iterdir() if part.name.startswith("medssl_bench")]
    modules = {
        name
        for part in code
        for file in ([part] if part.is_file() else part.rglob("*.py"))
        for name in imported(file.read_text("utf-8"))
    }
    needed = {_normal(NAMES.get(name, name)) for name in modules - set(sys.stdlib_module_names) - OURS}
    assert needed <= declared(own, *own.get("optional-dependencies", ())) | declared(PROJECT["project"])


def test_an_import_in_a_function_is_found():
    assert set(imported("def f():\n    import a.b\n    from c.d import e\n    from . import g\n")) == {"a", "c"}


def test_no_override_of_mypy_is_left_over():
    (override,) = PROJECT["tool"]["mypy"]["overrides"]
    used = distributions(ROOT / "medssl_bench") | distributions(ROOT / "plugins")
    named = {_normal(NAMES.get(name, name)) for name in (text.removesuffix(".*") for text in override["module"])}
    assert named <= used
