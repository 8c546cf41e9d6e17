"""Random textures: sums of plane waves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from medssl_bench.datasets.phantoms.canvas import Canvas, Floats
    from medssl_bench.datasets.phantoms.random_rows import Draws


@dataclass(frozen=True)
class Waves:
    """A texture of mean 0 and variance 1 for each image: K plane waves in many directions.

    Attributes:
        wavelength: (B, K) in frame units (the frame is 2 wide).
        angle: (B, K) directions in radians.
        phase: (B, K) in radians.
    """

    wavelength: Floats
    angle: Floats
    phase: Floats

    def fade(self, canvas: Canvas) -> Floats:
        """Return what is left (B, K) of each wave's amplitude where pixels and blur average over it."""
        return np.exp(-np.square(2 * np.pi / self.wavelength * canvas.edge[:, :, 0]) / 24)

    def over(self, canvas: Canvas, strength: Floats | float = 1.0) -> Floats:
        """Return the texture (B, H, W).

        A plane wave is a sum of two products of a function of the row and one of the column; a sum of waves is
        therefore a small matrix product, with no cosine per pixel.

        Args:
            canvas: where to paint it.
            strength: amplitude of the waves, broadcastable to (B, K).
        """
        number = 2 * np.pi / self.wavelength
        across = (number * np.cos(self.angle))[:, :, None] * canvas.x + self.phase[:, :, None]
        down = (number * np.sin(self.angle))[:, :, None] * canvas.x
        amplitude = np.broadcast_to((2 / number.shape[1]) ** 0.5 * strength, number.shape)[:, :, None]
        rows = np.concatenate([np.cos(down), -np.sin(down)], axis=1)
        columns = np.concatenate([amplitude * np.cos(across), amplitude * np.sin(across)], axis=1)
        return np.matmul(rows.transpose(0, 2, 1), columns)

    def along(self, canvas: Canvas) -> Floats:
        """Return the texture (B, W) along the line y = 0, without fading: for lines that waver."""
        number = 2 * np.pi / self.wavelength * np.cos(self.angle)
        waves = np.cos(number[:, :, None] * canvas.x + self.phase[:, :, None])
        return waves.sum(axis=1) * (2 / number.shape[1]) ** 0.5


def draw_waves(draws: Draws, count: int, shortest: Floats | float, longest: Floats | float) -> Waves:
    """Return `count` waves per image; the bounds of their wavelength are scalars or (B,).

    The directions are spread evenly and then jittered: a few waves of alike direction would look like stripes.
    """
    spread = np.arange(count, dtype=np.float32) * (np.pi / count)
    angle = spread + draws.uniform(0, np.pi / count, count) + draws.angle(1)
    return Waves(draws.uniform(shortest, longest, count), angle, draws.angle(count))
