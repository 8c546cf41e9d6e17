"""Folders in which stages are made: named after who makes them, so that what killed runs leave can be told apart."""

from __future__ import annotations

import os
import platform
import re
import shutil
import time
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_WEEK = 7 * 24 * 3600.0


def workplace_name(key: str) -> str:
    """Return a new name for the folder in which this process makes a stage: key, host, process and a random part."""
    return f"{key[:16]}-{_host()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def clear(work: Path) -> None:
    """Delete what no one works on any more: folders of dead processes of this host, and others older than a week.

    A process of another host cannot be seen; it counts as dead after a week.
    """
    for folder in list(work.iterdir()):
        if _is_left_over(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_left_over(folder: Path) -> bool:
    _, _, rest = folder.name.partition("-")
    host, _, rest = rest.partition("-")
    process = rest.partition("-")[0]
    if host == _host() and process.isdecimal():
        return not _is_alive(int(process))
    try:
        return time.time() - folder.stat().st_mtime > _WEEK
    except OSError:  # gone meanwhile
        return False


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # of another user
        return True
    return True


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", platform.node()) or "unknown"
