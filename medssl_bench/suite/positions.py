"""A TOML document whose every value knows the file and line that it comes from."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import Position, Problem, SuiteError, nearest_to
from medssl_bench.key_path import key_text
from medssl_bench.suite.lines import line_numbers

if TYPE_CHECKING:
    from pathlib import Path

    from medssl_bench.key_path import KeyPath


DEEPEST = 50
"""How many tables and lists may stand inside each other; what reads them further on is recursive."""

_LARGEST = 1 << 20
"""Bytes of a file. The longest suites have some thousands; what is larger was meant for another program."""

_DOTS = 1000
"""Dots of a key. A reader of TOML takes time by the square of their number, so it is never given so many."""


@dataclass(frozen=True)
class Node:
    """A value and its position; `value` is a dict of nodes, a list of nodes, or a plain value."""

    value: Any
    position: Position

    def plain(self) -> Any:
        """Return the value without positions."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def replaced(self, key: str, value: Node | None) -> Node:
        """Return this table with one key replaced, or removed if the value is None."""
        table = {name: item for name, item in self.value.items() if name != key}
        if value is not None:
            table[key] = value
        return Node(table, self.position)

    def locate(self, path: KeyPath) -> Position:
        """Return the position of what is at a path, or of the nearest thing around it that exists."""
        node = self
        for part in path:
            if isinstance(node.value, str):  # a text has letters by number, and these no position
                break
            try:
                node = node.value[part]
            except (KeyError, IndexError, TypeError):
                break
        return node.position


def read_toml(path: Path) -> Node:
    """Read a TOML file.

    Raises:
        SuiteError: it cannot be read or is not TOML.
    """
    text = _text(path)
    _refuse_endless_keys(path, text)
    try:
        document = tomllib.loads(text)
        lines = line_numbers(text)
    except (ValueError, RecursionError) as error:
        raise SuiteError([_syntax_problem(path, text, error)]) from error
    return _node(document, (), lines, Position(path, 1))


def is_file(path: Path) -> bool:
    """Return whether there is such a file; a name that no file can have (too long, say) is the name of none."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises on such names


def _refuse_endless_keys(path: Path, text: str) -> None:
    for row, line in enumerate(text.split("\n"), 1):
        if not line.lstrip().startswith("#") and any(part.count(".") > _DOTS for part in re.split("[=,]", line)):
            key = re.match(r"""[ \t\[]*([\w"'-]+)""", line)
            message = f"tables and lists nest at most {DEEPEST} deep"
            raise SuiteError([Problem(Position(path, row), key[1][:60] if key else "", message)])


def _meant(path: Path) -> str:
    """Say which file beside it a name that is not there may mean, also where its ending was left out."""
    beside = {file.stem: file for file in path.parent.glob("*.toml")}
    nearest = nearest_to(path.stem, tuple(sorted(beside)))
    return f" (did you mean {str(beside[nearest])!r}?)" if nearest else ""


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file() and not path.is_dir():  # reading it might never end
            message = f"{path}: this is no suite, but a pipe or a device"
            raise SuiteError([Problem(None, "", message)])
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:  # a ValueError: the name has a null byte
        reason = f"{getattr(error, 'strerror', None) or error}"
        reason += _meant(path) if isinstance(error, FileNotFoundError) else ""
        raise SuiteError([Problem(None, "", f"{path}: cannot read the suite: {reason}")]) from error
    if len(content) > _LARGEST:
        message = f"{path}: this is no suite: it has more than {_LARGEST:,} bytes"
        raise SuiteError([Problem(None, "", message)])
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SuiteError([Problem(Position(path, line), "", "the file is not UTF-8; save it as UTF-8")]) from error
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def _node(value: Any, path: KeyPath, lines: dict[KeyPath, int], around: Position) -> Node:
    position = replace(around, line=lines.get(path, around.line))
    if len(path) > DEEPEST:
        raise SuiteError([Problem(position, key_text(path[:3]), f"tables and lists nest at most {DEEPEST} deep")])
    if isinstance(value, dict):
        value = {key: _node(item, (*path, key), lines, position) for key, item in value.items()}
    elif isinstance(value, list):
        value = [_node(item, (*path, index), lines, position) for index, item in enumerate(value)]
    return Node(value, position)


def _syntax_problem(path: Path, text: str, error: ValueError | RecursionError) -> Problem:
    """Turn what `tomllib` raises, whose message mostly ends in its place, into a problem with the key it is about."""
    rows = text.removesuffix("\n").split("\n")
    match = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
    what = str(error)[: match.start()] if match else str(error)
    line = int(match[1]) if match and match[1] else len(rows)
    if isinstance(error, RecursionError):
        line = 1 + max(range(len(rows)), key=lambda row: rows[row].count("[") + rows[row].count("{"))
        what = f"tables and lists nest at most {DEEPEST} deep"
    elif not isinstance(error, tomllib.TOMLDecodeError):  # the other one: Python reads no thousands of digits
        digits = re.search(r"\d{4000}", text.replace("_", "0"))
        line = text.count("\n", 0, digits.start()) + 1 if digits else line
        what = "this number has too many digits"
    start = _statement(rows, min(line, len(rows)))
    message = f"this is not valid TOML: {what[:1].lower()}{what[1:]}"
    if line != start:
        unclosed = what.startswith("Unclosed") or (match and not match[1])
        message += f" (noticed on line {line})" if unclosed else f" (it begins on line {start})"
        line = start if unclosed else line
    key = re.match(r"""[ \t\[]*([\w."'-]+)""", rows[start - 1])
    return Problem(Position(path, line), key[1][:60] if key else "", message)


def _statement(rows: list[str], line: int) -> int:
    """Return the line on which the statement begins that `tomllib` could not read on to the end of a line."""
    farthest = line - 200_000 // len(rows)  # every try reads all rows before it: of a huge file only the last are tried
    for start in range(line, max(farthest, 0), -1):
        blank = not rows[start - 1].strip() or rows[start - 1].lstrip().startswith("#")
        if not blank and _is_toml("\n".join(rows[: start - 1])):
            return start
    return line


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
