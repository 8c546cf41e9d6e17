"""How torch uses the processor and its memory."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt's names, from malloc.h of the GNU C library
_KEPT = 2**28
"""Largest block in bytes that is kept: larger ones are data sets and features, not what a step takes and frees."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread inside the block.

    Steps as small as a linear probe's spend longer waiting for a second thread than computing, and a hundred times
    longer when another process keeps that core busy.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def keep_freed_memory() -> bool:
    """Let the C library keep what a training step frees for the next step, for the rest of the process.

    By default the GNU C library gives large blocks back to the system at once and gets them again in the next step,
    page by page; that costs a training step on the processor about a fifth of its time.

    Returns:
        Whether that is done; other C libraries are left alone.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    return bool(library.mallopt(_MMAP_THRESHOLD, _KEPT) and library.mallopt(_TRIM_THRESHOLD, 2**31 - 1))
