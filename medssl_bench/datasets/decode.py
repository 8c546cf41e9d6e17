"""One image file as a square of uint8 pixels."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Colour = Literal["auto", "grey", "rgb"]

REVISION = 2
"""Raise it when a file decodes to other pixels than before, or is refused that was not."""

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""What files are read as, whatever their names say: for others Pillow may start another program."""

_MOST_PIXELS = 89_478_485
"""Above it Pillow warns of an image that was made to fill the memory: 256 MiB in colour."""

_GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F"})
_TRANSPARENT_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})


_MIN_IS_WHITE = 0
"""What TIFF's tag of the photometric interpretation says where the smallest value is white."""


@dataclass(frozen=True)
class Decoded:
    """An image, and what of the range of its file it uses.

    Attributes:
        pixels: uint8, (size, size) or (size, size, 3).
        low: the smallest value in the file; of an image of one colour, the same as `high`.
        high: the largest.
        limit: the largest value that it could have: 255 or 65535.
        profile: whether it has a colour profile other than sRGB, which is not applied.
    """

    pixels: NDArray[np.uint8]
    low: int
    high: int
    limit: int
    profile: bool


def is_colour(path: Path) -> bool:
    """Return whether an image file says that it is in colour; its pixels are not read.

    Raises:
        Exception: whatever the decoder raises on a broken file.
    """
    with _open(path) as image:
        return not _is_grey(image)


def decode(path: Path, size: int, channels: int, *, strict: bool) -> Decoded:
    """Read an image: turned as its EXIF says, its middle square resized with antialiasing (bicubic).

    16-bit greys are scaled by their whole range (65535 becomes 255), transparent parts lie on black, colours become
    grey by ITU-R 601 luma.

    Args:
        path: the file.
        size: side in pixels.
        channels: 1 (grey) or 3 (RGB).
        strict: refuse to make a colour image grey.

    Raises:
        Exception: whatever the decoder raises on a broken file; ValueError for one that has no single 8- or 16-bit
            image, or is refused.
    """
    with _open(path) as opened:
        if opened.format != "MPO" and getattr(opened, "n_frames", 1) > 1:  # an MPO's others are previews
            raise ValueError("it holds several images; save each as a file")
        if strict and channels == 1 and not _is_grey(opened):
            raise ValueError('it is in colour where the first images are grey; say colour = "rgb" or "grey"')
        if opened.mode.startswith("I") and getattr(opened, "tag_v2", {}).get(262) == _MIN_IS_WHITE:
            raise ValueError("its smallest value is white (MinIsWhite), which is not read in 16 bits; save it inverted")
        profile = _is_other_profile(opened.info.get("icc_profile"))
        image, low, high, limit = _eight_bit(ImageOps.exif_transpose(opened))
    image = image.convert("L" if channels == 1 else "RGB")
    pixels = np.array(ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC))
    return Decoded(pixels, low, high, limit, profile)


def _is_other_profile(profile: Any) -> bool:
    """Return whether a colour profile is not that of sRGB, by the name in it (UTF-16 in newer ones)."""
    return isinstance(profile, bytes) and b"sRGB" not in profile.replace(b"\0", b"")


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


def _eight_bit(image: Image.Image) -> tuple[Image.Image, int, int, int]:
    """Return the image with 8 bits a channel and without transparency, its extreme values, and their limit."""
    if image.mode == "I" or image.mode.startswith("I;16"):  # Pillow itself would clip these at 255
        return _of_sixteen(image)
    if image.mode == "F":
        values = np.asarray(image)
        raise ValueError(
            f"it has floating-point pixels, from {values.min():g} to {values.max():g}, whose range is unknown; save it "
            f"with 8 or 16 bits a pixel"
        )
    if image.mode in _TRANSPARENT_MODES or "transparency" in image.info:
        image = _on_black(image)
    elif image.mode not in {"L", "RGB"}:
        image = image.convert("RGB") if image.mode != "1" else image.convert("L")
    low, high = _extrema(image)
    return image, low, high, 255


def _of_sixteen(image: Image.Image) -> tuple[Image.Image, int, int, int]:
    levels = np.asarray(image).astype(np.int64)
    low, high = int(levels.min()), int(levels.max())
    if low < 0 or high > 65535:
        what = "has negative pixels" if low < 0 else "has more than 16 bits a pixel"
        raise ValueError(
            f"it {what}: its values go from {low} to {high}, not within 0..65535; choose the part of the range that "
            f"matters, and save it with 8 or 16 bits"
        )
    return Image.fromarray(((levels * 255 + 32767) // 65535).astype(np.uint8)), low, high, 65535


def _on_black(image: Image.Image) -> Image.Image:
    background = Image.new("RGBA", image.size, (0, 0, 0, 255))
    colours = image.convert("RGBA")
    background.alpha_composite(colours)
    seen = background.convert("RGB")
    if _extrema(colours.getchannel("A"))[1] == 0 and _extrema(colours.convert("RGB"))[1] > 0:
        raise ValueError("it is transparent all over, so nothing of it would be seen; save it without transparency")
    return seen


def _extrema(image: Image.Image) -> tuple[int, int]:
    found: Any = image.getextrema()
    bands = found if isinstance(found[0], tuple) else (found,)
    highest = int(max(high for _, high in bands))
    if all(low == high for low, high in bands):
        return highest, highest
    return int(min(low for low, _ in bands)), highest
