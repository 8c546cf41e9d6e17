"""What folders of a store hold, while others write and delete there, and file managers leave things of their own."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KEY = re.compile(r"[0-9a-f]{64}")
_JUNK = re.compile(r"\..*|Thumbs\.db|desktop\.ini", re.IGNORECASE)


def is_key(name: str) -> bool:
    """Return whether a name is a content key."""
    return _KEY.fullmatch(name) is not None


def all_in(folder: Path) -> list[Path]:
    """Return what is in a folder, sorted; nothing where there is no folder, or none any more."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def listed(folder: Path) -> list[Path]:
    """Return what is in a folder, as `all_in`, but what systems and file managers leave there (``.DS_Store``)."""
    return [path for path in all_in(folder) if not _JUNK.fullmatch(path.name)]


def finished(store: Path) -> Iterator[Path]:
    """Yield the folders of the finished stages of a store, by key, but for those in `closed` folders."""
    for place in listed(store / "done"):
        with suppress(PermissionError):
            yield from listed(place)


def closed(store: Path) -> list[Path]:
    """Return the folders of finished stages that this user may not look into; ``done`` has one for two digits."""
    found = []
    for place in listed(store / "done"):
        try:
            listed(place)
        except PermissionError:
            found.append(place)
    return found


def bytes_in(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; of what goes meanwhile, none."""
    try:
        if path.is_dir() and not path.is_symlink():
            return sum(map(bytes_in, path.iterdir()))
        return path.lstat().st_size
    except OSError:
        return 0


def remove(path: Path) -> bool:
    """Delete a file or a folder; return whether it was still there."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
        return True
    return False
