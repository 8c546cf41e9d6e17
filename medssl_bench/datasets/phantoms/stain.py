"""The colour of a stained smear: the light that is left behind its dyes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from medssl_bench.datasets.phantoms.canvas import Floats
    from medssl_bench.datasets.phantoms.random_rows import Draws

# Optical density of red, green and blue light behind one unit of the purple complex that stains nuclei, of eosin and
# of azure blue: the looks of a Romanowsky stain, judged by eye. The lamp is the colour of an empty field.
DYES = np.array([[1.05, 1.75, 0.75], [0.25, 0.8, 0.75], [0.95, 0.65, 0.15]], np.float32)
LAMP = np.array([0.98, 0.91, 0.84], np.float32)


@dataclass(frozen=True)
class Stain:
    """The colours of each image; no two laboratories stain alike.

    Attributes:
        dyes: (B, 3, 3) optical density of each dye (first of the axes) in red, green and blue.
        lamp: (B, 3) colour of the empty background, in [0, 1].
        saturation: (B,) of the colours; 0 is grey.
    """

    dyes: Floats
    lamp: Floats
    saturation: Floats

    def transmit(self, purple: Floats, eosin: Floats, blue: Floats) -> Floats:
        """Return the light (B, H, W, 3) in [0, 1] behind amounts (B, H, W) of the dyes.

        Densities add up and light decays exponentially with them, the law of Beer and Lambert, as in the colour
        deconvolution of Ruifrok and Johnston (2001).
        """
        image = np.empty((*purple.shape, 3), np.float32)
        for channel in range(3):
            density = self.dyes[:, :, channel, None, None]
            absorbed = purple * density[:, 0] + eosin * density[:, 1] + blue * density[:, 2]
            image[..., channel] = np.exp(-absorbed) * self.lamp[:, channel, None, None]
        grey = image.mean(axis=-1, keepdims=True)
        return np.clip(grey + self.saturation[:, None, None, None] * (image - grey), 0, 1)


def draw_stain(draws: Draws, nuisance: float) -> Stain:
    """Return a stain for each image; `nuisance` scales how far they differ."""
    hue = draws.normal(0.06, 3, 3) + draws.normal(0.12, 1, 3)
    amount = draws.normal(0.15, 3, 1) + draws.uniform(-0.7, 0.5, 1, 1)
    lamp = draws.normal(0.04, 3) + draws.uniform(-0.6, 0.1, 1)
    return Stain(
        dyes=DYES * np.exp(nuisance * (hue + amount)),
        lamp=np.minimum(LAMP * np.exp(nuisance * lamp), 1),
        saturation=np.maximum(1 + nuisance * draws.uniform(-0.8, 0.3), 0),
    )
