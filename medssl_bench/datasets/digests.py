"""Digests of large files, remembered on disk for as long as the files stay as they are."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from medssl_bench.datasets.sealed import keep_sealed, read_sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def file_md5(path: Path, cache_dir: Path) -> str:
    """Return the MD5 of a file; one that has been read before is not read again while it stays as it is."""

    def compute() -> str:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()

    return _remembered(cache_dir, ["md5", _state(path)], compute)


def folder_sha256(root: Path, names: Iterable[str], cache_dir: Path) -> str:
    """Return the SHA-256 over the names and contents of files of a folder, remembered as `file_md5` is.

    Args:
        root: the folder.
        names: the files, relative to it; their order counts.
        cache_dir: where digests are remembered.
    """
    names = list(names)

    def compute() -> str:
        digest = hashlib.sha256()
        for name in names:
            with (root / name).open("rb") as file:
                digest.update(f"{name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        return digest.hexdigest()

    states = (f"{name}\0{_state(root / name)}" for name in names)
    return _remembered(cache_dir, ["sha256", *states], compute)


def remembered_of(path: Path, what: str, cache_dir: Path, compute: Callable[[], str]) -> str:
    """Return what `compute` says of a file, which is asked once while the file stays as it is.

    Args:
        path: the file.
        what: is said of it.
        cache_dir: where it is remembered.
        compute: what it raises passes through, and nothing is remembered.
    """
    return _remembered(cache_dir, [what, _state(path)], compute)


def _state(file: Path) -> str:
    """Return what changes when a file is written to, and stays when it is renamed."""
    status = file.stat()
    return f"{status.st_ino} {status.st_size} {status.st_mtime_ns}"


def _remembered(cache_dir: Path, states: Iterable[str], compute: Callable[[], str]) -> str:
    """Return what `compute` gave the last time that the files were in these states."""
    key = hashlib.sha256("\n".join(states).encode()).hexdigest()
    marker = cache_dir / "digests" / key
    kept = read_sealed(marker, key)
    if kept is not None:
        return kept.decode("ascii")
    digest = compute()
    keep_sealed(marker, key, digest.encode("ascii"))
    return digest
