"""Suites changed at random in their structure: values of other types, keys gone, renamed or doubled, lists grown.

`tests/suite/test_spoilt.py` spoils the text of one suite, line by line; here the shipped suites are changed as tables,
what they extend included, so that what one file says meets what another one expects.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from random import Random
from typing import Any

ODD: tuple[Any, ...] = (
    0, 1, -1, 3, 10**6, 10**12, 10**30, 0.0, 0.5, -2.5, 1e308, float("nan"), float("inf"), True, False,
    "", "x", "all", "none", "50%", "1000%", "nat", "probe", "supervised", "a\nb", "\x1b[31m", "\ud7ff\u202e", "é" * 300,
    "../x", "x.toml", "thesis.toml", "x" * 5000,
    [], [[]], [1], ["a"], [1, 1], [True], [{}], [["a"], {"a": 1}], list(range(2000)), ["x"] * 300,
    {}, {"name": "x"}, {"name": 3}, {"name": ["x"]}, {"count": 3}, {"a": {"b": {"c": []}}}, {"arm": "x"},
    {"recipe": "nat"}, {"recipe": "nat", "on": "path"}, {"name": "linear_probe", "epochs": 10**9},
    {"epochs": [1, 2, 3]}, {"seed": list(range(40))},
    {"optimizer.lr": [0.1 * k for k in range(30)], "epochs": list(range(30))},
)  # fmt: skip
"""Values that are put where others stood."""

KEYS = ("id", "name", "extends", "without", "sweep", "epochs", "arm", "labels", "teacher", "on", "x", "a.b", "", "é\n")
"""Names that keys are given."""


def mutated(document: dict[str, Any], random: Random) -> dict[str, Any]:
    """Return a copy of a TOML document in which one to three things are other than they were."""
    document = _copied(document)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        _change(document, random)
    return document


def write_suites(folder: Path, texts: dict[str, str], random: Random) -> Path:
    """Write one of the suites, changed, and what it extends, changed or not; return its file."""
    name = random.choice(sorted(texts))
    path = folder / name
    while name:
        document = tomllib.loads(texts[name])
        changed = mutated(document, random) if folder / name == path or random.random() < 0.3 else document
        (folder / name).write_text(toml(changed), "utf-8")
        name = document.get("extends", "")
    return path


def toml(document: dict[str, Any]) -> str:
    """Return a document as TOML, a line for each key of a table that no list is around."""
    lines: list[str] = []
    _write_table(lines, (), document)
    return "\n".join(lines) + "\n"


def _write_table(lines: list[str], path: tuple[str, ...], table: dict[str, Any]) -> None:
    tables = {key: value for key, value in table.items() if isinstance(value, dict) and value}
    lists = {
        key: value
        for key, value in table.items()
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
    }
    lines += [f"{_key(key)} = {_value(value)}" for key, value in table.items() if key not in {*tables, *lists}]
    for key, value in tables.items():
        lines.append(f"[{'.'.join(map(_key, (*path, key)))}]")
        _write_table(lines, (*path, key), value)
    for key, items in lists.items():
        for item in items:
            lines.append(f"[[{'.'.join(map(_key, (*path, key)))}]]")
            _write_table(lines, (*path, key), item)


def _key(key: str) -> str:
    return json.dumps(key, ensure_ascii=True)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in a document, as what holds it and its key or index there."""
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found.append((value, key))
        found += _places(item)
    return found


def _change(document: dict[str, Any], random: Random) -> None:
    places = _places(document)
    if not places:
        document["name"] = random.choice(ODD)
        return
    holder, key = random.choice(places)
    other_holder, other_key = random.choice(places)
    kind = random.choice(("odd", "odd", "odd", "gone", "renamed", "doubled", "swapped", "wrapped", "added"))
    if kind == "odd":
        holder[key] = _copied(random.choice(ODD))
    elif kind == "gone":
        del holder[key]
    elif kind == "renamed" and isinstance(holder, dict):
        holder[random.choice(KEYS)] = holder.pop(key)
    elif kind == "doubled" and isinstance(holder, list):
        holder[key:key] = [_copied(holder[key]) for _ in range(random.choice((1, 2, 50)))]
    elif kind == "swapped":
        holder[key] = _copied(other_holder[other_key])
    elif kind == "wrapped":
        holder[key] = random.choice(([holder[key]], {"name": holder[key]}, {random.choice(KEYS): holder[key]}))
    elif isinstance(holder, dict):
        holder[random.choice(KEYS)] = _copied(random.choice(ODD))
