"""Bumps along a line: what raises, lowers or darkens a layer at some places across the frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from medssl_bench.datasets.phantoms.canvas import Canvas, Floats


@dataclass(frozen=True)
class Bumps:
    """K bell-shaped bumps for each image; all attributes are (B, K), in frame units (the frame is 2 wide).

    Attributes:
        x: centres.
        width: distance from the centre at which a bump has fallen to 1/e.
        height: 0 for those that are not there.
    """

    x: Floats
    width: Floats
    height: Floats

    def over(self, canvas: Canvas) -> Floats:
        """Return the sum of the bumps (B, W) at each column."""
        offset = (canvas.x - self.x[:, :, None]) / self.width[:, :, None]
        return np.sum(self.height[:, :, None] * np.exp(-np.square(offset)), axis=1)
