"""Red blood cells, the neighbours of every other cell of a smear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.phantoms.canvas import Canvas, Floats, per_image

if TYPE_CHECKING:
    from medssl_bench.datasets.phantoms.random_rows import Draws

MOST = 9


@dataclass(frozen=True)
class RedCells:
    """Up to `MOST` red cells for each image; all attributes are (B, MOST).

    Attributes:
        x: centres.
        y: centres.
        radius: far below 0 for those that are not there.
        amount: of eosin.
        pallor: how much paler the middle is.
    """

    x: Floats
    y: Floats
    radius: Floats
    amount: Floats
    pallor: Floats

    def density(self, canvas: Canvas, waver: Floats) -> Floats:
        """Return the amount of eosin (B, H, W) of all of them together.

        Args:
            canvas: where to paint them.
            waver: (B, H, W) texture that makes their outlines uneven.
        """
        total = np.zeros((), np.float32)
        for x, y, radius, amount, pallor in zip(
            self.x.T, self.y.T, self.radius.T, self.amount.T, self.pallor.T, strict=True
        ):
            distance, edge = canvas.distance(x, y), per_image(radius)
            middle = np.maximum(1 - np.square(distance / (0.7 * edge)), 0)
            disc = canvas.inside(distance - edge * (1 + 0.06 * waver))
            total = total + per_image(amount) * disc * (1 - per_image(pallor) * middle)
        return total


def draw_red_cells(draws: Draws, centre_x: Floats, centre_y: Floats, radius: Floats, zoom: Floats) -> RedCells:
    """Return red cells that lie around one cell of each image and partly under it.

    Args:
        draws: random numbers.
        centre_x: (B,) of the cell in the middle.
        centre_y: (B,) of the cell in the middle.
        radius: (B,) of the cell in the middle.
        zoom: (B,) magnification.
    """
    count = np.floor(draws.uniform(2, MOST + 1))[:, None]
    index = np.arange(MOST, dtype=np.float32)
    direction = draws.angle(1) + 2 * np.pi * (index + draws.uniform(-0.4, 0.4, MOST)) / count
    size = zoom[:, None] * draws.uniform(0.34, 0.42, 1) * (1 + draws.normal(0.06, MOST))
    near = np.maximum(radius[:, None] + size * draws.uniform(0.6, 1.2, MOST), 0.5)
    far = near + draws.uniform(0, 0.3, MOST)
    return RedCells(
        x=centre_x[:, None] + far * np.cos(direction),
        y=centre_y[:, None] + far * np.sin(direction),
        radius=np.where(index < count, size, -9),
        amount=draws.uniform(0.25, 0.4, 1) * draws.uniform(0.9, 1.1, MOST),
        pallor=draws.uniform(0.4, 0.8, 1) * draws.uniform(0.6, 1.0, MOST),
    )
