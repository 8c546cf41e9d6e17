"""Results of arms that are truly equal, simulated: whatever is told of their difference is false."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_POINT = 0.029
"""A point of accuracy in units of the latent score, near an accuracy of two thirds."""


class Spread(NamedTuple):
    """Standard deviations, in points of accuracy, of what training seeds, label draws, and both together do."""

    seed: float
    draw: float
    cell: float


WORLDS = {"A": Spread(1.0, 1.0, 0.7), "B": Spread(0.5, 2.0, 1.0), "C": Spread(1.5, 0.3, 0.5), "D": Spread(0, 0, 0)}
"""Seeds and draws alike; draws decide; seeds decide; neither does."""


def latent_scores(
    random: np.random.Generator, shape: tuple[int, int, int], spread: Spread, *, arms: int = 2, ahead: float = 0.0
) -> NDArray[np.float64]:
    """Return scores that are above 0 where an image is right, (arms, S, D, N), on images that are hard for all alike.

    Args:
        random: where chance comes from.
        shape: numbers of seeds, draws and test images.
        spread: what seeds and draws do.
        arms: how many.
        ahead: by how many points of accuracy, about, the first is better than each of the others.
    """
    seeds, draws, images = shape
    difficulty = random.normal(0.5, 1.0, images)
    scores = np.empty((arms, *shape))
    for arm in range(arms):
        shift = spread.seed * random.normal(size=(seeds, 1, 1)) + spread.draw * random.normal(size=(1, draws, 1))
        shift = shift + spread.cell * random.normal(size=(seeds, draws, 1)) + (ahead if arm == 0 else 0.0)
        own = random.normal(0.0, 0.4, (1, 1, images)) + random.normal(0.0, 0.6, shape)
        scores[arm] = difficulty + _POINT * shift + own
    return scores


def equal_arms(random: np.random.Generator, shape: tuple[int, int, int], spread: Spread) -> NDArray[np.float64]:
    """Return the differences of whether two arms that are truly equal are right, (S, D, N)."""
    one, other = (latent_scores(random, shape, spread) > 0).astype(float)
    return one - other
