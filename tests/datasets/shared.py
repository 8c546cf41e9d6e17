"""What the splits of a data set share."""

from __future__ import annotations

from medssl_bench.datasets import Splits
from medssl_bench.datasets.copies import Copies, shared_between
from medssl_bench.datasets.parts import Part
from medssl_bench.datasets.turns import turned_digests


def shared(parts: list[Part]) -> Copies:
    """Return what parts share."""
    return shared_between(parts, turned_digests([part.images for part in parts]))


def find_copies(splits: Splits) -> Copies:
    """Return what splits share."""
    return shared([Part(name, split.images, split.labels, split.groups) for name, split in splits.items()])
