"""Refuses what TOML can write and no key of a suite can mean, wherever it stands.

The parameters of components are checked by the types of their factories, which may take anything: such a value would
reach content keys and records, and could not be kept there.
"""

from __future__ import annotations

from datetime import date, time
from math import isfinite
from typing import TYPE_CHECKING

from medssl_bench.errors import Problem, SuiteError
from medssl_bench.key_path import key_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medssl_bench.suite.positions import Node

Key = tuple[str | int, ...]


def refuse_odd_values(root: Node) -> None:
    """Check that every number is finite and within TOML's 64 bits, nothing is a date, and keys are printable.

    Raises:
        SuiteError: something is not; it carries a problem for each.
    """
    problems = [Problem(node.position, key_text(key), message) for key, node, message in _find((), root)]
    if problems:
        raise SuiteError(problems)


def _find(key: Key, node: Node) -> Iterator[tuple[Key, Node, str]]:
    value = node.value
    if isinstance(value, dict):
        for name, item in value.items():
            if not name.isprintable():
                yield (*key, name), item, "this key has a control character in it"
            elif not name.strip():
                yield (*key, name), item, "this key is blank"
            yield from _find((*key, name), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _find((*key, index), item)
    elif isinstance(value, float) and not isfinite(value):
        yield key, node, f"{value} is not a finite number"
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        yield key, node, "this whole number is too large: TOML has 64 bits for it"
    elif isinstance(value, date | time):
        yield key, node, f"{value} is a date or a time, which no key of a suite takes; put text in quotes"
