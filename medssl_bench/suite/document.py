"""A suite made in Python: dicts and lists as a document with the keys of a suite file, and that document as TOML."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from medssl_bench.errors import Position, Problem, SuiteError
from medssl_bench.key_path import KeyPath, key_text
from medssl_bench.suite.positions import DEEPEST, Node
from medssl_bench.suite.toml_text import key_text as toml_key
from medssl_bench.suite.toml_text import written

_TABLES = {"comparison", "arm"}
"""Keys whose tables have headers of their own, [[comparison]] and [[comparison.arm]]."""


@dataclass(frozen=True)
class _InPython(Position):
    """A place of a document that is no file: a problem there has its key alone."""

    path: KeyPath

    def __str__(self) -> str:
        return ""


def of_python(document: Mapping[str, Any], folder: Path) -> Node:
    """Return a document whose problems name their keys, and no line.

    Args:
        document: tables as mappings, lists as sequences, and text, numbers, booleans and paths.
        folder: where files that it names are.

    Raises:
        SuiteError: something in it has no form in a suite; it carries a problem for each.
    """
    problems: list[Problem] = []
    root = _node(document, (), folder / "a suite made in Python", problems)
    if not isinstance(root.value, dict):
        problems.append(Problem(None, "", f"a suite is a dict with the keys of a suite file, not {_named(document)}"))
    if problems:
        raise SuiteError(problems)
    return root


def document_text(document: Mapping[str, Any]) -> str:
    """Return a document of tables, lists, text, numbers and booleans as a suite file."""
    return "\n".join(_lines(document, ())).strip() + "\n"


def _node(value: Any, path: KeyPath, file: Path, problems: list[Problem]) -> Node:
    position = _InPython(file, 0, path)
    if len(path) > DEEPEST:
        raise SuiteError([Problem(None, key_text(path[:3]), f"tables and lists nest at most {DEEPEST} deep")])
    if isinstance(value, Mapping):
        table = {}
        for key, item in value.items():
            if isinstance(key, str):
                table[str(key)] = _node(item, (*path, str(key)), file, problems)
            else:
                problems.append(Problem(None, key_text(path), f"the key {key!r} is no text"))
        return Node(table, position)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return Node([_node(item, (*path, place), file, problems) for place, item in enumerate(value)], position)
    return Node(_plain(value, path, problems), position)


def _plain(value: Any, path: KeyPath, problems: list[Problem]) -> Any:
    """Return a value as TOML has it, of Python's own types: numbers of NumPy are none of them."""
    if getattr(value, "shape", None) == () and hasattr(value, "item"):  # a scalar of NumPy, truth values among them
        value = value.item()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, bool | date | time):  # dates are refused later, as those of files are
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Real):
        return int(value) if isinstance(value, Integral) else float(value)
    message = "there is no None in a suite; leave the key out" if value is None else f"{_named(value)} has no form here"
    problems.append(Problem(None, key_text(path), message))
    return None


def _named(value: object) -> str:
    return f"a value of type {type(value).__name__}"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Yield the keys of a table, and after them the tables in it that have headers of their own."""
    below = {key: value for key, value in table.items() if _has_headers(key, value, path)}
    yield from (f"{toml_key(key)} = {written(value)}" for key, value in table.items() if key not in below)
    for key, value in below.items():
        name = ".".join(map(toml_key, (*path, key)))
        if isinstance(value, Mapping):
            for inner, item in value.items():
                yield from ("", f"[{name}.{toml_key(inner)}]", *_lines(item, (*path, key, inner)))
        else:
            for item in value:
                yield from ("", f"[[{name}]]", *_lines(item, (*path, key)))


def _has_headers(key: str, value: Any, path: tuple[str, ...]) -> bool:
    if isinstance(value, Mapping):  # [pretraining.NAME], [dataset.NAME] and their like
        return not path and bool(value) and all(isinstance(item, Mapping) for item in value.values())
    of_tables = isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)
    return key in _TABLES and of_tables and path in {(), ("comparison",)}
