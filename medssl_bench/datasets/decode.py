"""One image file as a square of uint8 pixels."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Colour = Literal["auto", "grey", "rgb"]

REVISION = 1
"""Raise it when a file decodes to other pixels than before."""

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""What files are read as, whatever their names say: for others Pillow may start another program."""

_MOST_PIXELS = 89_478_485
"""Above it Pillow warns of an image that was made to fill the memory: 256 MiB in colour."""

_GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F"})
_TRANSPARENT_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})


def is_colour(path: Path) -> bool:
    """Return whether an image file says that it is in colour; its pixels are not looked at.

    Raises:
        Exception: whatever the decoder raises on a broken file.
    """
    with _open(path) as image:
        return not _is_grey(image)


def decode(path: Path, size: int, channels: int, *, strict: bool) -> NDArray[np.uint8]:
    """Read an image: turned as its EXIF says, its middle square resized with antialiasing (bicubic).

    16-bit greys are scaled by their whole range (65535 becomes 255), transparent parts lie on black, colours become
    grey by ITU-R 601 luma.

    Args:
        path: the file.
        size: side in pixels.
        channels: 1 (grey) or 3 (RGB).
        strict: refuse to make a colour image grey.

    Returns:
        (size, size) or (size, size, 3).

    Raises:
        Exception: whatever the decoder raises on a broken file; ValueError for one that has no single 8- or 16-bit
            image, or is refused.
    """
    with _open(path) as opened:
        if opened.format != "MPO" and getattr(opened, "n_frames", 1) > 1:  # an MPO's others are previews
            raise ValueError("it holds several images; save each as a file")
        if strict and channels == 1 and not _is_grey(opened):
            raise ValueError('it is in colour where the first images are grey; say colour = "rgb" or "grey"')
        image = _eight_bit(ImageOps.exif_transpose(opened))
    image = image.convert("L" if channels == 1 else "RGB")
    return np.array(ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC))


def _open(path: Path) -> Image.Image:
    """Open an image, unless it is so large that it was made to fill the memory.

    Raises:
        ValueError: it has more than `_MOST_PIXELS`.
    """
    too_large = f"it has more than {_MOST_PIXELS:,} pixels; make it smaller"
    with warnings.catch_warnings(action="ignore"):  # of files that are not quite as they should be, and of large ones
        try:
            image = Image.open(path, formats=_FORMATS)
        except Image.DecompressionBombError:  # twice as large
            raise ValueError(too_large) from None
    if image.width * image.height > _MOST_PIXELS:
        image.close()
        raise ValueError(too_large)
    return image


def _is_grey(image: Image.Image) -> bool:
    return image.mode in _GREY_MODES or image.mode.startswith("I;16")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return the image with 8 bits a channel and without transparency."""
    if image.mode == "I" or image.mode.startswith("I;16"):  # Pillow itself would clip these at 255
        levels = np.asarray(image).astype(np.int64)
        if levels.min() < 0 or levels.max() > 65535:
            raise ValueError("it has more than 16 bits a pixel; save it with 8 or 16")
        return Image.fromarray(((levels * 255 + 32767) // 65535).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("it has floating-point pixels, whose range is unknown; save it with 8 or 16 bits a pixel")
    if image.mode in _TRANSPARENT_MODES or "transparency" in image.info:
        background = Image.new("RGBA", image.size, (0, 0, 0, 255))
        background.alpha_composite(image.convert("RGBA"))
        return background.convert("RGB")
    return image
