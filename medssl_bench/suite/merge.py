"""How a suite, or a recipe, extends another: tables merge key by key, comparisons by id and arms by name."""

from __future__ import annotations

from medssl_bench.suite.duration import DURATIONS
from medssl_bench.suite.positions import Node

_IDENTITY = {"comparison": "id", "arm": "name"}
"""Lists whose items are merged, and the key that identifies an item; other lists are replaced."""

_COMPONENTS = {"augmentation", "encoder", "evaluator", "method", "on", "optimizer", "schedule"}
"""Keys of components, which can be written as a mere name."""


def merge(base: Node, over: Node, key: str = "") -> Node:
    """Return `base` with what `over` says instead of it or beyond it.

    Args:
        base: what is extended.
        over: what extends it; a table in it changes the table of `base`, any other value replaces it.
        key: the key that both stand at, empty for whole suites and recipes; the lists ``comparison`` and ``arm`` are
            merged by ``id`` and ``name``.
    """
    if key in _COMPONENTS and isinstance(base.value, str):
        base = Node({"name": base}, base.position)
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        if key and _replaces(base.value, over.value):
            return over
        merged = dict(base.value)
        for name, node in over.value.items():
            if name not in merged:
                merged[name] = node
            elif key == "pretraining":
                merged[name] = merge_recipe(merged[name], node)
            else:
                merged[name] = merge(merged[name], node, name)
        return Node(merged, over.position)
    if key in _IDENTITY and isinstance(base.value, list) and isinstance(over.value, list):
        return Node(_merge_lists(base.value, over.value, _IDENTITY[key]), over.position)
    return over


def merge_recipe(base: Node, over: Node) -> Node:
    """Return `merge` of two recipes: a duration in one unit stands instead of one in another."""
    if isinstance(base.value, dict) and isinstance(over.value, dict) and over.value.keys() & set(DURATIONS):
        kept = {key: node for key, node in base.value.items() if key not in DURATIONS or key in over.value}
        base = Node(kept, base.position)
    return merge(base, over)


def _replaces(base: dict[str, Node], over: dict[str, Node]) -> bool:
    """Return whether `over` names another component than `base`, whose parameters then mean nothing to it."""
    names = [table["name"].value for table in (base, over) if "name" in table]
    return len(names) == 2 and all(isinstance(name, str) for name in names) and names[0] != names[1]


def _merge_lists(base: list[Node], over: list[Node], key: str) -> list[Node]:
    merged = list(base)
    places = {identity(node, key): index for index, node in enumerate(base)}
    for node in over:
        name = identity(node, key)
        if name is not None and name in places:
            merged[places[name]] = merge(merged[places[name]], node)
        else:
            merged.append(node)
    return merged


def identity(node: Node, key: str) -> str | None:
    """Return the text that identifies an item of a list, or None if it has none."""
    name = node.value[key].value if isinstance(node.value, dict) and key in node.value else None
    return name if isinstance(name, str) else None
