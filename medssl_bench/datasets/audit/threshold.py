"""From which likeness on two images of a set count as one: each set has a threshold of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.audit.near import FLOOR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets.audit.near import Pairs

_LEAST, _MOST = 0.94, 0.99
_ABOVE = 0.005
_SHARE = 0.001
_FEWEST = 10
"""Images that must look like one of another class before the threshold rises: fewer may be copies under two labels."""


def own_threshold(pairs: Pairs, labels: NDArray[np.int64]) -> float:
    """Return the likeness above which pairs of a set are near copies.

    It is 0.94, or 0.005 more than what one image in 1,000 has with its nearest neighbour of another class, if that is
    more. Images of two classes are not the same, so they show how alike different images of this set look. It is not
    above 0.99, so that copies under two labels are found.

    Args:
        pairs: what `near_pairs` found, copies to the pixel left out.
        labels: label of each image of the set; -1 where there is none.
    """
    one, other = labels[pairs.first], labels[pairs.second]
    differ = (one != other) & (one >= 0) & (other >= 0)
    nearest = np.zeros(len(labels), np.float32)
    for numbers in (pairs.first[differ], pairs.second[differ]):
        np.maximum.at(nearest, numbers, pairs.likeness[differ])
    labelled = int((labels >= 0).sum())
    allowed = max(_FEWEST, int(_SHARE * labelled))
    if labelled <= allowed:
        return _LEAST
    natural = float(np.partition(nearest, -allowed - 1)[-allowed - 1])
    return min(max(_LEAST, natural + _ABOVE if natural >= FLOOR else 0.0), _MOST)
