"""Images below a folder whose labels are not known: they need no class folders."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from medssl_bench.datasets.folder.names import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from medssl_bench.datasets.folder.tree import Node

UNLABELLED_NAMES = frozenset({"unlabelled", "unlabeled"})

CLASSES = ("images without labels",)
"""What messages call the images, where they name the class of others."""

_LOOKED_AT = 50


def take_unlabelled(root: Node, classes: Sequence[str] | None) -> Node | None:
    """Take the folder ``unlabelled/`` out of a tree, so that it is no class; it is beside the classes or splits.

    Args:
        root: the folder; those with a single folder in them are looked into.
        classes: what a suite says are the classes; a class can have that name.
    """
    node = root
    while True:
        found = [name for name in node.folders if plain(name) in UNLABELLED_NAMES and name not in (classes or ())]
        if found and not node.folders[found[0]].is_link:
            return node.folders.pop(found[0])
        if len(node.folders) != 1 or node.images:
            return None
        (node,) = node.folders.values()
        if node.is_link:
            return None


def matching(names: Sequence[str], patterns: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the paths that are matched by a pattern, or lie in a folder that is, and the patterns that match none.

    Args:
        names: paths, with forward slashes.
        patterns: ``*`` is any letters of one name, ``**`` any number of folders.
    """
    used: set[str] = set()
    found = []
    for name in names:
        parts = name.split("/")
        own = [pattern for pattern in patterns if _matches(parts, pattern.strip("/").split("/"))]
        used.update(own)
        if own:
            found.append(name)
    return found, [pattern for pattern in patterns if pattern not in used]


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Return whether a pattern fits a path, or one of the folders on the way to it."""
    if not pattern:
        return True
    if pattern[0] == "**":
        if len(pattern) == 1:
            return True
        return any(_matches(parts[start:], pattern[1:]) for start in range(len(parts)))
    if pattern[0] == ".":
        return _matches(parts, pattern[1:])
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def spread(names: Sequence[str]) -> list[str]:
    """Return up to 50 of the names, spread evenly over the list."""
    step = max(1, len(names) // _LOOKED_AT)
    return list(names[::step][:_LOOKED_AT])


def is_colour(root: Path, names: Sequence[str]) -> bool:
    """Return whether one of some images is in colour; a broken one is reported when it is decoded."""
    from contextlib import suppress

    from medssl_bench.datasets import decode

    for name in names:
        with suppress(Exception):  # a decoder may raise anything on a broken file
            if decode.is_colour(root / name):
                return True
    return False
