"""Labels of several data sets brought to one order of classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medssl_bench.datasets import Split


def with_classes(split: Split, own: Sequence[str], wanted: Sequence[str], *, several: bool) -> Split:
    """Return a split whose labels count the classes in another order.

    Args:
        split: whose labels count the classes in the order of `own`.
        own: names of the classes.
        wanted: the same names in the order that is asked for.
        several: whether images have several labels, one column for each class.
    """
    if tuple(own) == tuple(wanted):
        return split
    if several:
        return Split(split.images, split.labels[:, [list(own).index(name) for name in wanted]], split.groups)
    places = np.array([list(wanted).index(name) for name in own], np.int64)
    return Split(split.images, places[split.labels], split.groups)
