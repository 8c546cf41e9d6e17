"""Where data and caches are kept, and the settings that say so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

if TYPE_CHECKING:
    from medssl_bench.datasets import DatasetContext

DATA_VARIABLE = "MEDSSL_BENCH_DATA"
"""Environment variable with the folder of data files."""

MIRROR_VARIABLE = "MEDSSL_BENCH_MIRROR"
"""Environment variable with the address of a mirror of the MedMNIST files."""


def dataset_context(data_dir: str | Path | None = None) -> DatasetContext:
    """Return where data sets find and keep files.

    Args:
        data_dir: folder of data files; None: what `DATA_VARIABLE` says, or a folder of the user's cache.
    """
    from medssl_bench.datasets import DatasetContext

    cache = user_cache_path("medssl-bench")
    chosen = data_dir or os.environ.get(DATA_VARIABLE) or cache / "data"
    return DatasetContext(Path(chosen).expanduser(), cache, os.environ.get(MIRROR_VARIABLE) or None)
