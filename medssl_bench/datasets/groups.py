"""Groups of images that belong together (of one patient, say): their numbers, and that no two splits share one."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.base import SPLITS
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from medssl_bench.datasets.base import SplitName

_WORDS: dict[SplitName, str] = {"train": "training", "val": "validation", "test": "test"}


def numbered(names: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of each image's group: 0 is the first of the groups' names in the order of their characters."""
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    return np.fromiter((numbers[name] for name in names), np.int64, len(names))


def group_counts(groups: Mapping[SplitName, NDArray[np.int64]]) -> dict[SplitName, int]:
    """Return how many groups each split has."""
    return {split: len(np.unique(groups[split])) for split in SPLITS}


def shared_groups(groups: Mapping[SplitName, NDArray[np.int64] | None]) -> dict[tuple[SplitName, SplitName], list[int]]:
    """Return the groups that have images in two splits, by the pair of splits, where there are any."""
    found = {}
    for first, second in combinations(SPLITS, 2):
        one, other = groups[first], groups[second]
        if one is not None and other is not None and len(both := np.intersect1d(one, other)):
            found[first, second] = both.tolist()
    return found


def shared_lines(shared: Mapping[tuple[SplitName, SplitName], Sequence[int]]) -> list[str]:
    """Return a warning for each pair of splits that share groups; tables show it."""
    return [shared_line(len(which), _WORDS[first], _WORDS[second]) for (first, second), which in shared.items()]


def shared_line(number: int, first: str, second: str) -> str:
    """Return a line on a number of groups that two parts of a data set share, named as adjectives."""
    return f"{number:,} {'group has' if number == 1 else 'groups have'} {first} and {second} images"


def require_apart(
    where: str, groups: Mapping[SplitName, NDArray[np.int64]], names: Sequence[str], *, allowed: bool
) -> list[str]:
    """Refuse given splits that share a group, unless the suite allows it by name.

    Args:
        where: what the message begins with.
        groups: number of the group of each image, by split.
        names: of the groups, by number; for the message.
        allowed: whether the suite says ``shared_groups = true``.

    Returns:
        A warning for each pair of splits that share groups.

    Raises:
        DataError: two splits share a group, and that is not allowed.
    """
    shared = shared_groups(groups)
    lines = shared_lines(shared)
    if shared and not allowed:
        (_, which), *_ = shared.items()
        raise DataError(
            f"{where}: {lines[0]}, the first is {names[which[0]]!r}: tests on them measure memory; part the splits by "
            f"group, or say shared_groups = true, and every table says so"
        )
    return lines
