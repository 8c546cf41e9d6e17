"""Mean squares of a table of values by training seed, label draw and test image, which are crossed.

Every model sees the same test images, and a label draw has the same images under every seed. That is the layout of
studies with several readers and several cases in radiology (Dorfman, Berbaum and Metz 1992; Obuchowski and Rockette
1995): seeds and draws are readers of two kinds, test images are cases.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class _ByChance:
    """A number for each kind of chance, and for what they do together.

    Attributes:
        seed: of training seeds.
        draw: of label draws.
        image: of test images.
        seed_draw: of a seed with a draw.
        seed_image: of a seed with a test image.
        draw_image: of a draw with a test image.
        rest: what is left: seed, draw and image together.
    """

    seed: float
    draw: float
    image: float
    seed_draw: float
    seed_image: float
    draw_image: float
    rest: float


class MeanSquares(_ByChance):
    """Mean squares of the three-way layout without replicates; one that a single seed or draw does not have is 0."""

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> MeanSquares:
        """Return the mean squares of values.

        Args:
            values: (S, D, N): one for each seed, draw and test image, N of 2 or more.
        """
        seeds, draws, images = values.shape
        mean = values.mean()
        by_seed, by_draw, by_image = (values.mean(axes) for axes in ((1, 2), (0, 2), (0, 1)))
        seed_draw = values.mean(2) - by_seed[:, None] - by_draw + mean
        seed_image = values.mean(1) - by_seed[:, None] - by_image + mean
        draw_image = values.mean(0) - by_draw[:, None] - by_image + mean
        main = by_seed[:, None, None] + by_draw[:, None] + by_image - 2 * mean
        rest = values - main - seed_draw[:, :, None] - seed_image[:, None] - draw_image
        s, d, i = seeds - 1, draws - 1, images - 1
        return cls(
            seed=_mean_square(by_seed - mean, draws * images, s),
            draw=_mean_square(by_draw - mean, seeds * images, d),
            image=_mean_square(by_image - mean, seeds * draws, i),
            seed_draw=_mean_square(seed_draw, images, s * d),
            seed_image=_mean_square(seed_image, draws, s * i),
            draw_image=_mean_square(draw_image, seeds, d * i),
            rest=_mean_square(rest, 1, s * d * i),
        )

    def scaled(self, factor: float) -> MeanSquares:
        """Return all of them times a factor."""
        return MeanSquares(**{name: factor * value for name, value in asdict(self).items()})


def without_images(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values by seed and draw, (S, D), in the layout with images: of two, (S, D, 2), that do not vary them.

    Mean squares of seeds, of draws and of both are then twice those of the values.
    """
    return values[:, :, None].repeat(2, 2)


class Components(_ByChance):
    """How much of the variance of one value each kind of chance makes, estimated by moments; negative ones are 0."""

    @classmethod
    def of(cls, squares: MeanSquares, shape: tuple[int, int, int]) -> Components:
        """Return the components of mean squares of values of a shape (S, D, N)."""
        seeds, draws, images = shape
        m = squares
        found = (
            (m.seed - m.seed_draw - m.seed_image + m.rest) / (draws * images),
            (m.draw - m.seed_draw - m.draw_image + m.rest) / (seeds * images),
            (m.image - m.seed_image - m.draw_image + m.rest) / (seeds * draws),
            (m.seed_draw - m.rest) / images,
            (m.seed_image - m.rest) / draws,
            (m.draw_image - m.rest) / seeds,
            m.rest,
        )
        return cls(*(max(0.0, value) for value in found))


def _mean_square(deviations: NDArray[np.float64], each: int, freedom: int) -> float:
    """Return the mean square of deviations, each of which `each` values share, or 0 where they have no freedom."""
    return each * float((deviations**2).sum()) / freedom if freedom else 0.0
