"""Digests of files and of source trees."""

from __future__ import annotations

import ast
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TARGET = re.compile(r"[\w.]+:\w+")
"""A factory that is named by its place, as in ``my_package.module:attribute``, and imported when it is first used."""


def file_digest(path: str | Path) -> str | None:
    """Return the SHA-256 of a file, or None where there is no such file.

    A file is read once per process for each size and modification time.
    """
    try:
        status = Path(path).stat()
    except OSError:
        return None
    if not Path(path).is_file():
        return None
    return _digest(str(path), status.st_size, status.st_mtime_ns)


def files_digest(paths: Sequence[str | Path]) -> str | None:
    """Return one digest of several files in their order; of one file it is its own; None: the first is not there."""
    digests = [file_digest(path) for path in paths]
    if len(digests) == 1 or digests[0] is None:
        return digests[0]
    return hashlib.sha256("\n".join(map(str, digests)).encode()).hexdigest()


@lru_cache(maxsize=256)
def _digest(path: str, size: int, modified: int) -> str:  # noqa: ARG001 - they are part of the cache's key
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Source:
    """The source of a plugin, read once: what is hashed is what is run.

    Attributes:
        digest: SHA-256 over names and contents.
        files: content of each file.
        root: the folder from which they are imported.
    """

    digest: str
    files: dict[Path, bytes]
    root: Path


def read_source(path: Path, root: Path | None = None) -> Source:
    """Read the Python source of a file, or of every file of a package's folder.

    Modules and packages beside it that it imports count too, and those that these import.

    Args:
        path: the file, or the package's folder.
        root: the folder from which it is imported; None: the one it stands in.
    """
    root = path.parent if root is None else root
    files = dict(sorted(_contents(_python(path), root).items()))
    digest = hashlib.sha256()
    for file, content in files.items():
        digest.update(f"{file.relative_to(root).as_posix()}\0".encode())
        digest.update(content)
        digest.update(b"\0")
    return Source(digest.hexdigest(), files, root)


def with_imports(files: Sequence[Path], root: Path) -> set[Path]:
    """Return files and those under `root` that they import, directly or not; the harness itself is left out."""
    return set(_contents(files, root))


def _contents(files: Sequence[Path], root: Path) -> dict[Path, bytes]:
    found = {file: file.read_bytes() for file in files}
    waiting = list(found)
    listed: set[Path] = set()
    here = {each.name.partition(".")[0] for each in root.iterdir()} - {"medssl_bench"}
    while waiting:
        file = waiting.pop()
        package = file.relative_to(root).parent.parts
        names = [name for name in _imported(package, found[file]) if name.partition(".")[0] in here]
        places = {_place_of(name, root) for name in names} - {None}
        for place in places - listed:  # a package is imported from by many lines, and its files are listed once
            assert place is not None
            listed.add(place)
            new = {each: each.read_bytes() for each in _python(place) if each not in found}
            found |= new
            waiting += new
    return found


@lru_cache(maxsize=4096)
def _imported(package: tuple[str, ...], content: bytes) -> tuple[str, ...]:
    """Return the dotted names that a file imports, or names as the place of a factory; none of what is not Python.

    A process that loads plugins again, as tests and scripts do, does not parse the same bytes again.

    Args:
        package: the names of the folders that the file is in, from the root.
        content: of the file.
    """
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # reported when it is loaded
        return ()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            outer = package[: len(package) + 1 - node.level] if node.level else ()
            base = ".".join(filter(None, (*outer, node.module)))
            names.update(f"{base}.{alias.name}" if base else alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and TARGET.fullmatch(node.value):
            names.add(node.value.partition(":")[0])
    return tuple(names)


def _place_of(name: str, root: Path) -> Path | None:
    """Return what under a folder importing a dotted name may run: a module's file, or a package's folder."""
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:length])
        if (place / "__init__.py").is_file():
            return place
        if (module := place.with_name(f"{place.name}.py")).is_file():
            return module
        if not place.is_dir():  # else it may be a part of a namespace
            break
    return None


def _python(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*.py") if file.is_file()) if path.is_dir() else [path]
