"""Random streams, each derived from its purpose and from the axes that should vary it, and from no others."""

from __future__ import annotations

import hashlib
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator


def stream(purpose: str, **axes: int | str) -> int:
    """Return the 63-bit seed of the stream named by a purpose and its axes.

    Streams with another purpose, or another value of any axis, are unrelated; the order of the axes does not
    matter. The value is the same on every platform and Python version.

    Args:
        purpose: what the numbers are for, such as ``"weights"`` or ``"label draw"``.
        axes: what should vary the stream, such as ``seed=0`` or ``epoch=3``.

    Returns:
        An integer in [0, 2**63).
    """
    text = "\x1f".join([purpose, *(f"{name}={axes[name]}" for name in sorted(axes))])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(purpose: str, **axes: int | str) -> np.random.Generator:
    """Return a NumPy generator on the stream named by a purpose and its axes (see `stream`)."""
    return np.random.Generator(np.random.PCG64(stream(purpose, **axes)))


@contextmanager
def forked(seed: int) -> Iterator[None]:
    """Seed the global generators of torch, NumPy and Python inside the block and restore them after it.

    So draws of third-party code from global state are reproducible, and change no other stream.
    """
    import torch

    python_state = random.getstate()
    numpy_state = np.random.get_state()  # noqa: NPY002 - the legacy global generator is what is being guarded
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002
