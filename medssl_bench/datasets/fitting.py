"""An image of any shape as a square."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets.pixel_choices import Fit


def fitted(image: Image.Image, size: int, fit: Fit) -> NDArray[np.uint8]:
    """Return an image with a side of `size` pixels, resized with antialiasing (bicubic); one of that size as it is."""
    side = (size, size)
    if fit == "pad":
        return np.array(ImageOps.pad(image, side, Image.Resampling.BICUBIC))
    if fit == "stretch":
        return np.array(image.resize(side, Image.Resampling.BICUBIC))
    return np.array(ImageOps.fit(image, side, Image.Resampling.BICUBIC))
