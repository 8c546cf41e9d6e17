"""Text files that change as a whole or not at all, whatever happens to the machine."""

from __future__ import annotations

import os
import re
import uuid
from typing import TYPE_CHECKING

from medssl_bench.store.process import Process

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST = 30
"""Characters of a file's name in the name of its part, which has room for who writes it."""

_PART = re.compile(r"\..*\.([^.]+)-[0-9a-f]{8}\.part")


def write_atomically(file: Path, text: str) -> None:
    """Write a text file so that a reader sees the old content or the new one, never a part."""
    part = file.with_name(f".{file.name[:_LONGEST]}.{Process.this()}-{uuid.uuid4().hex[:8]}.part")
    try:
        with part.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    sync(file.parent)


def maker_of(part: Path) -> Process | None:
    """Return which process was writing a file that `write_atomically` has not finished; None: it is no such file."""
    found = _PART.fullmatch(part.name)
    return None if found is None else Process.parse(found[1])


def sync(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
