"""The pixel grid that phantoms are painted on, and soft-edged shapes that look the same at every size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Canvas:
    """A batch of square frames, each reaching from -1 to 1 in x (columns) and y (rows).

    Attributes:
        x: (W,) coordinates of the pixels' centres; those of the rows are the same.
        edge: (B, 1, 1) width over which an edge rises: the blur of the optics and a pixel's width together.
    """

    x: Floats
    edge: Floats

    @classmethod
    def of(cls, size: int, blur: Floats) -> Canvas:
        """Return a canvas of `size` pixels across; `blur` (B,) is in frame units."""
        pixel = 2 / size
        centres = (np.arange(size, dtype=np.float32) + 0.5) * pixel - 1
        return cls(centres, np.sqrt(np.square(blur) + np.square(pixel))[:, None, None])

    def offsets(self, centre_x: Floats, centre_y: Floats) -> tuple[Floats, Floats]:
        """Return the offsets of all pixels from centres (B,): (B, 1, W) across and (B, H, 1) down."""
        return (self.x - centre_x[:, None])[:, None, :], (self.x - centre_y[:, None])[:, :, None]

    def distance(self, centre_x: Floats, centre_y: Floats) -> Floats:
        """Return the distance (B, H, W) of all pixels from centres (B,)."""
        across, down = self.offsets(centre_x, centre_y)
        return np.sqrt(np.square(across) + np.square(down))

    def inside(self, distance: Floats) -> Floats:
        """Return how much of each pixel a shape covers, from the signed distance to its outline.

        A linear ramp is the exact box filter of a straight edge that is as wide as a pixel, so that a shape
        painted small is the shape painted large and scaled down.

        Args:
            distance: broadcastable to (B, H, W), negative inside, in frame units.
        """
        return np.clip(0.5 - distance / self.edge, 0, 1)


def per_image(values: Floats) -> Floats:
    """Return values (B,) as (B, 1, 1), to be combined with pixels."""
    return values[:, None, None]
