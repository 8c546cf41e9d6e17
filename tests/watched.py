"""What a store holds while other processes write and delete there."""

from __future__ import annotations

import glob
from pathlib import Path


def found(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a folder that match; those that vanish under one's eyes are left out.

    ``Path.glob`` fails where a folder goes between being listed and being opened.
    """
    return [folder / name for name in glob.glob(pattern, root_dir=folder)]  # noqa: PTH207


def checkpoints(store: Path) -> list[Path]:
    """Return the indices of the checkpoints of unfinished stages."""
    return found(store, "work/*/*/checkpoint.txt")
