"""A TOML document whose every value knows the file and line that it comes from."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import Position, Problem, SuiteError
from medssl_bench.suite.lines import line_numbers

if TYPE_CHECKING:
    from pathlib import Path

    from medssl_bench.suite.lines import Path as KeyPath


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

    def locate(self, path: KeyPath) -> Position:
        """Return the position of what is at a path, or of the nearest thing around it that exists."""
        node = self
        for part in path:
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
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise SuiteError([Problem(None, "", f"{path}: cannot read the suite: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise SuiteError([Problem(Position(path, line), "", "the file is not UTF-8; save it as UTF-8")]) from error
    text = text.replace("\r\n", "\n")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SuiteError([_syntax_problem(path, text, str(error))]) from error
    lines = line_numbers(text)
    return _node(document, (), lines, Position(path, 1))


def _node(value: Any, path: KeyPath, lines: dict[KeyPath, int], around: Position) -> Node:
    position = replace(around, line=lines.get(path, around.line))
    if isinstance(value, dict):
        value = {key: _node(item, (*path, key), lines, position) for key, item in value.items()}
    elif isinstance(value, list):
        value = [_node(item, (*path, index), lines, position) for index, item in enumerate(value)]
    return Node(value, position)


def _syntax_problem(path: Path, text: str, message: str) -> Problem:
    """Turn the message of `tomllib`, which ends in its place, into a problem with the key on that line."""
    match = re.search(r"\(at line (\d+), column \d+\)", message)
    rows = text.splitlines() or [""]
    line = int(match[1]) if match else len(rows)
    row = rows[min(line, len(rows)) - 1]
    key = row.partition("=")[0].strip(" \t[]") if row.strip() and not row.lstrip().startswith("#") else ""
    what = re.sub(r" \(at .*\)$", "", message)
    return Problem(Position(path, line), key[:60], f"this is not valid TOML: {what[:1].lower()}{what[1:]}")


def key_text(path: KeyPath) -> str:
    """Return a path as people write it: ``comparison[0].arm[1].evaluator``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
