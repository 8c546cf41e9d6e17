"""Placement values, of which the area under the ROC curve is the mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def placements(is_positive: NDArray[np.bool_], scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return for each image the share of the other kind that it is on the right side of, (N,) (DeLong et al. 1988).

    A positive image should have a higher score than a negative one; one with the same score counts half. The mean over
    the positive images, and that over the negative ones, is the area under the ROC curve.

    Args:
        is_positive: (N,) which images are; there are some of both kinds.
        scores: (N,).
    """
    found = np.empty(len(scores))
    exact = scores.astype(np.float64)
    for kind, sign in ((is_positive, 1), (~is_positive, -1)):
        others, own = np.sort(sign * exact[~kind]), sign * exact[kind]
        order = own.argsort()  # what is asked for in order is found in half the time
        below = np.empty(len(own), dtype=np.int64)
        below[order] = np.searchsorted(others, own[order], "left") + np.searchsorted(others, own[order], "right")
        found[kind] = below / (2 * len(others))
    return found
