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
        UserError: the folder begins with ``~`` and an unknown user, or there is no home folder for caches.
    """
    from medssl_bench.datasets import DatasetContext

    cache = _cache()
    chosen = data_dir or os.environ.get(DATA_VARIABLE) or cache / "data"
    try:
        folder = Path(chosen).expanduser()
    except RuntimeError:
        raise UserError(f"{chosen}: there is no user of this name; correct {DATA_VARIABLE}") from None
    return DatasetContext(folder, cache, os.environ.get(MIRROR_VARIABLE) or None)


def _cache() -> Path:
    """Return the folder of what can be made again, in the user's cache folder.

    Raises:
        UserError: nothing says where that is, as in a container under a number that has no name.
    """
    try:
        folder = user_cache_path("medssl-bench")
    except RuntimeError:
        folder = Path()
    if not folder.is_absolute():  # older releases of platformdirs leave the ``~`` in it
        raise UserError(
            "there is no folder for downloads and caches: HOME is not set, and this user's number has no entry with a "
            "home folder; set HOME to a folder that may be written to"
        )
    return folder
