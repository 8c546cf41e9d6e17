"""A small data set for whole runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def waves(tmp_path: Path) -> Path:
    """Write ``waves.npz``, noise of three classes; return its folder."""
    return write_waves(tmp_path)


def write_waves(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in {"train": 40, "val": 12, "test": 15}.items():
        arrays[f"{split}_images"] = rng.integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)
        arrays[f"{split}_labels"] = np.arange(count)[:, None] % 3
    np.savez(folder / "waves.npz", **arrays)
    return folder
