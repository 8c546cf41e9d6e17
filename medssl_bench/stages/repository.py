"""The commit of a repository, read from its files: git itself would run what the folder's own configuration says."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from medssl_bench.store.reading import read_text

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REFERENCE = re.compile(r"refs(/[A-Za-z0-9_@%+=,{}#!-][A-Za-z0-9_.@%+=,{}#!-]*)+")  # no part of it leads upwards
_MOST = 5
"""References that may refer to each other in a row, as git has it."""

_LARGEST = 2**16
_LARGEST_PACKED = 2**25
"""Bytes of the largest list of packed references that is read: some 400,000 of them."""


def commit_of(folder: Path) -> str | None:
    """Return the commit that is checked out around a folder; None: there is no repository, or it cannot be read.

    Only files are read, none of them through a link, and no program is started. A bare repository beside
    the folder is not the one that the folder belongs to.
    """
    try:
        for place in (folder, *folder.parents):
            if (place / ".git").exists():
                return _resolved(_git_folder(place / ".git"))
    except (OSError, ValueError):
        pass
    return None


def _git_folder(place: Path) -> Path:
    """Return the folder of a repository's data: of a worktree or a submodule, a file says where it is."""
    if place.is_dir():
        return place
    word, _, path = read_text(place, _LARGEST).strip().partition(": ")
    if word != "gitdir" or not path:
        raise ValueError("not a pointer to a repository")
    return place.parent / path


def _resolved(folder: Path) -> str | None:
    folders = [folder]
    with suppress(FileNotFoundError):  # of a worktree: branches are kept with the repository that it belongs to
        folders.append(folder / read_text(folder / "commondir", _LARGEST).strip())
    text = read_text(folder / "HEAD", _LARGEST).strip()
    for _ in range(_MOST):
        if _COMMIT.fullmatch(text):
            return text
        name = text.removeprefix("ref: ").strip()
        if name == text or not _REFERENCE.fullmatch(name):
            return None
        text = _reference(folders, name)
    return None


def _reference(folders: list[Path], name: str) -> str:
    """Return what a reference says, or an empty string."""
    for folder in folders:
        try:
            return read_text(folder / name, _LARGEST).strip()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
    for folder in folders:
        try:
            lines = read_text(folder / "packed-refs", _LARGEST_PACKED).splitlines()
        except FileNotFoundError:
            continue
        for line in lines:
            commit, _, packed = line.partition(" ")
            if packed == name:
                return commit
    return ""
