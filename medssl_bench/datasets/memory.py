"""How much memory there is for arrays."""

from __future__ import annotations

import os
from pathlib import Path

from medssl_bench.errors import DataError


def require_memory(size: int, what: str) -> None:
    """Refuse an array that does not fit into memory, before the system runs out of it.

    Args:
        size: of the array, in bytes.
        what: what it holds, for the message.

    Raises:
        DataError: it is larger than the memory that is free.
    """
    free = free_memory()
    if free is not None and size > free:
        raise DataError(
            f"{what} would take {size / 2**30:,.1f} GiB of memory; {free / 2**30:,.1f} GiB are free: use a smaller "
            f"image size, fewer images or a larger machine"
        )


def free_memory() -> int | None:
    """Return the bytes available without swapping; the total, or None, if the system does not say."""
    free = [number for number in (_free_of_machine(), _free_of_group()) if number is not None]
    return min(free, default=None)


def _free_of_machine() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _free_of_group(root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return what a container's limit leaves, or None where there is no limit: beyond it a process is killed.

    Args:
        root: the folder of the control group, of version 2.
    """
    try:
        limit = int((root / "memory.max").read_text("ascii"))  # "max" where there is none
        used = dict(line.split() for line in (root / "memory.stat").read_text("ascii").splitlines())
        return max(0, limit - int(used["anon"]))  # files that the system keeps in memory, it can drop
    except (OSError, ValueError, KeyError):
        return None
