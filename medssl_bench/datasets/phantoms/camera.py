"""The instrument: its blur, its uneven light and its noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.phantoms.canvas import Canvas, Floats, per_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets.phantoms.random_rows import Draws


@dataclass(frozen=True)
class Camera:
    """How each image is taken.

    Attributes:
        blur: (B,) in frame units.
        slope_x: (B,) change of the light from the middle of the frame to its right side.
        slope_y: (B,) the same to its bottom.
        vignette: (B,) loss of light from the middle to the middle of a side.
        noise: (B,) standard deviation of the sensor's noise in the image's range [0, 1].
    """

    blur: Floats
    slope_x: Floats
    slope_y: Floats
    vignette: Floats
    noise: Floats

    def light(self, canvas: Canvas) -> Floats:
        """Return the brightness (B, H, W) of the light, 1 in the middle."""
        across, down = canvas.x[None, None, :], canvas.x[None, :, None]
        tilt = per_image(self.slope_x) * across + per_image(self.slope_y) * down
        return 1 + tilt - per_image(self.vignette) * (np.square(across) + np.square(down))

    def expose(self, image: Floats, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return the image (B, H, W[, C]) in [0, 1] with noise, as uint8 of the same shape."""
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        noise *= self.noise.reshape(-1, *(1 for _ in image.shape[1:]))
        return (np.clip(image + noise, 0, 1) * 255 + 0.5).astype(np.uint8)


def draw_camera(draws: Draws, *, blur: float, light: float, noise: float) -> Camera:
    """Return a camera for each image; the numbers are the largest blur, slope of the light and noise."""
    direction, slope = draws.angle(), draws.uniform(0, light)
    return Camera(
        blur=draws.uniform(0, blur),
        slope_x=slope * np.cos(direction),
        slope_y=slope * np.sin(direction),
        vignette=draws.uniform(0, light / 2),
        noise=draws.uniform(noise / 8, noise),
    )
