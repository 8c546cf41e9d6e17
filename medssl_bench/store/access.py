"""Files that exist and may not be read: the message says so, and never calls them damaged."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

from medssl_bench.errors import NotReadable

if TYPE_CHECKING:
    from pathlib import Path


def not_readable(path: Path) -> NotReadable:
    """Return the error that says who may not read what, and what to do."""
    try:
        owner = f", which belongs to {_name(path.stat().st_uid)}"
    except OSError:  # the folder may not be looked into
        owner = ""
    return NotReadable(f"{path}: {_name(os.geteuid())} may not read this{owner}; its owner can allow it: chmod -R g+rX")


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
