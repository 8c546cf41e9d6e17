"""Which images of an npz file belong together: its arrays ``train_groups``, and so on, ``unlabelled_groups`` too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.base import SPLITS
from medssl_bench.datasets.npz.members import NpzMembers
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from medssl_bench.datasets.base import SplitName


_UNLABELLED = "unlabelled_groups"


@dataclass(frozen=True)
class Groups:
    """The groups of a file.

    Attributes:
        names: of the groups, in order; texts also where the file has numbers.
        numbers: of each split, (N,) the place of each image's group among the names.
        unlabelled: the same of the images without labels; None where the file does not say.
    """

    names: list[str]
    numbers: dict[SplitName, NDArray[np.int64]]
    unlabelled: NDArray[np.int64] | None = None


def read_groups(path: Path, counts: Mapping[SplitName, int], unlabelled: int) -> Groups | None:
    """Read the groups of a file; None: it has none.

    Args:
        path: the file.
        counts: number of images of each split.
        unlabelled: number of images without labels.

    Raises:
        DataError: only some splits have groups, or they are not one integer or text for each image.
    """
    with NpzMembers(path) as members:
        sizes = {**{f"{split}_groups": counts[split] for split in SPLITS}, _UNLABELLED: unlabelled}
        there = [key for key in sizes if key in members.keys()]  # noqa: SIM118 - not a dictionary
        if not there:
            return None
        if lacking := [key for key in sizes if key not in there and key != _UNLABELLED]:
            raise DataError(f"{path}: has {', '.join(there)} and no {', '.join(lacking)}; every split needs its groups")
        for key in there:
            header, size = members.header(key), sizes[key]
            if header.dtype.kind not in "iuUS" or header.shape not in {(size,), (size, 1)}:
                raise DataError(
                    f"{path}: {key}: has elements of type {header.dtype} and shape {header.shape}; groups are one "
                    f"integer or text for each image: ({size},)"
                )
        found = {key: members.read(key).reshape(-1) for key in there}
    if len({array.dtype.kind in "iu" for array in found.values()}) > 1:
        raise DataError(f"{path}: some parts have groups as numbers and others as text; write all alike")
    if any(array.dtype.kind == "S" for array in found.values()):
        found = {key: np.char.decode(array.astype("S"), "utf-8", "backslashreplace") for key, array in found.items()}
    names, numbers = np.unique(np.concatenate(list(found.values())), return_inverse=True)
    ends = np.cumsum([sizes[key] for key in there])[:-1]
    parts = dict(zip(there, np.split(numbers.reshape(-1), ends), strict=True))
    own = {split: parts[f"{split}_groups"] for split in SPLITS}
    return Groups([str(name) for name in names], own, parts.get(_UNLABELLED))
