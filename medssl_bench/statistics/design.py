"""How many training seeds and label draws would do to tell a difference."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from medssl_bench.statistics.interval import LEVEL
from medssl_bench.statistics.layout import Components
from medssl_bench.statistics.student import quantile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medssl_bench.statistics.interval import Estimate

MOST = 20
"""Seeds or draws that are proposed at most."""

SEED_COST = 4.0
"""What a seed is taken to cost in draws of it: a pretraining serves all draws, an evaluation one."""


@dataclass(frozen=True)
class Design:
    """Numbers of training seeds and label draws."""

    seeds: int
    draws: int


def needed(difference: Estimate, margin: float | None = None) -> Design | None:
    """Return the cheapest design that would tell a difference as large as that found, or as the margin.

    The components of the variance are estimates, and from three seeds and three draws they are guesses: say "about".

    Args:
        difference: of a run with several seeds, and with several draws if draws can vary it.
        margin: the largest difference that does not matter; None: there is none.

    Returns:
        The design; None: no number of seeds and draws up to `MOST` would do.
    """
    seeds, draws, images = difference.shape
    parts = Components.of(difference.squares, difference.shape)
    wanted = max(abs(difference.mean), margin or 0.0)
    for design in _designs(seeds, draws):
        variance, freedom = _predicted(parts, design, images)
        if quantile(freedom, (1 + LEVEL) / 2) * sqrt(variance) <= wanted:
            return design
    return None


def are_too_few_images(difference: Estimate, margin: float | None = None) -> bool:
    """Return whether no number of seeds and draws would tell a difference, however large, as the test set is too small.

    Args:
        difference: as in `needed`.
        margin: as in `needed`.
    """
    images = difference.shape[2]
    of_images = Components.of(difference.squares, difference.shape).image / images
    return quantile(images - 1, (1 + LEVEL) / 2) * sqrt(of_images) > max(abs(difference.mean), margin or 0.0)


def _designs(seeds: int, draws: int) -> Iterator[Design]:
    """Yield designs that are larger than the one there is, cheapest first; one draw stays one."""
    several = range(draws, MOST + 1) if draws > 1 else [1]
    found = [Design(s, d) for s in range(seeds, MOST + 1) for d in several if (s, d) != (seeds, draws)]
    yield from sorted(found, key=lambda design: design.seeds * (SEED_COST + design.draws))


def _predicted(parts: Components, design: Design, images: int) -> tuple[float, float]:
    """Return the variance that a design would have, and its degrees of freedom."""
    s, d = design.seeds, design.draws
    seed = (parts.seed + parts.seed_image / images) / s
    draw = (parts.draw + parts.draw_image / images) / d
    image = parts.image / images
    both = parts.seed_draw / (s * d) + parts.rest / (s * d * images)  # what V_SD is: V_S and V_D both hold it
    variance = seed + draw + both + image
    spread = sum(p**2 / f for p, f in ((seed + both, s - 1), (draw + both, d - 1), (image, images - 1)) if f)
    return variance, max(1.0, variance**2 / spread) if spread else float(images - 1)
