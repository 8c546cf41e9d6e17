"""Where data and caches are kept, and the settings that say so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from medssl_bench.errors import UserError

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

    Raises:
        UserError: the folder begins with ``~`` and the name of nobody.
    """
    from medssl_bench.datasets import DatasetContext

    cache = user_cache_path("medssl-bench")
    chosen = data_dir or os.environ.get(DATA_VARIABLE) or cache / "data"
    try:
        folder = Path(chosen).expanduser()
    except RuntimeError:
        raise UserError(f"{chosen}: nobody of this name has a home folder; correct {DATA_VARIABLE}") from None
    return DatasetContext(folder, cache, os.environ.get(MIRROR_VARIABLE) or None)
