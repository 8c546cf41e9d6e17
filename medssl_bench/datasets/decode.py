"""One image file as a square of uint8 pixels."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image, ImageOps

from medssl_bench.datasets import dicom
from medssl_bench.datasets.file_kinds import is_dicom
from medssl_bench.datasets.fitting import fitted
from medssl_bench.datasets.pixel_choices import Choices
from medssl_bench.datasets.value_range import RangeNeeded, eight_bit, percentile_range, require_finite

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Colour = Literal["auto", "grey", "rgb"]

REVISION = 3
"""Raise it when a file decodes to other pixels than before, or is refused that was not."""

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""What files are read as, whatever their names say: for others Pillow may start another program."""

_MOST_PIXELS = 89_478_485
"""Above it Pillow warns of an image that was made to fill the memory: 256 MiB in colour."""

_GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F"})
_TRANSPARENT_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})


IN_COLOUR = 'it is in colour where the first images are grey; say colour = "rgb" or "grey"'
"""Why a file is refused where no colour is chosen."""

_MIN_IS_WHITE = 0
"""What TIFF's tag of the photometric interpretation says where the smallest value is white."""


@dataclass(frozen=True)
class Decoded:
    """An image, and what of the range of its file it uses.

    Attributes:
        pixels: uint8, (size, size) or (size, size, 3).
        low: the smallest value in the file; of an image of one colour, the same as `high`.
        high: the largest.
        limit: the largest value that it could have: 255, or more of a file of more bits. Where a range is chosen, all
            three are of the pixels that it gives.
        profile: whether it has a colour profile other than sRGB, which is not applied.
        window: whether it is a DICOM file that says which values are black and white.
        deep: whether the file has more than 8 bits a value.
        shape: width and height of the image in the file, turned upright.
    """

    pixels: NDArray[np.uint8]
    low: int
    high: int
    limit: int
    profile: bool
    window: bool = False
    deep: bool = False
    shape: tuple[int, int] = (0, 0)

    @property
    def bits(self) -> int:
        """How many bits a value the file has; where a range is chosen, 16 for every number above 8."""
        return max(8, 16 if self.deep and self.limit == 255 else self.limit.bit_length())


_TODAY = Choices()


def is_colour(path: Path) -> bool:
    """Return whether an image file says that it is in colour; its pixels are not read.

    Raises:
        Exception: whatever the decoder raises on a broken file.
    """
    if is_dicom(path):
        return dicom.is_colour(path)
    with open_image(path) as image:
        return not is_grey(image)


def decode(path: Path, size: int, channels: int, *, strict: bool, choices: Choices = _TODAY) -> Decoded:
    """Read an image: turned as its EXIF says, its middle square resized with antialiasing (bicubic).

    Greys of more than 8 bits are scaled by their whole range (65535 becomes 255), unless another is chosen; transparent
    parts lie on black, colours become grey by ITU-R 601 luma.

    Args:
        path: the file.
        size: side in pixels.
        channels: 1 (grey) or 3 (RGB).
        strict: refuse to make a colour image grey.
        choices: what a suite says of range, fit and frame.

    Raises:
        Exception: whatever the decoder raises on a broken file; RangeNeeded for values of no known range; ValueError
            for a file that has no such image, or is refused.
    """
    if is_dicom(path):
        return _decode_dicom(path, size, channels, strict=strict, choices=choices)
    with open_image(path) as opened:
        if opened.format != "MPO":  # an MPO's others are previews
            opened.seek(dicom.frame_of(getattr(opened, "n_frames", 1), choices.frame))
        if strict and channels == 1 and not is_grey(opened):
            raise ValueError(IN_COLOUR)
        if opened.mode.startswith("I") and getattr(opened, "tag_v2", {}).get(262) == _MIN_IS_WHITE:
            raise ValueError("its smallest value is white (MinIsWhite), which is not read in 16 bits; save it inverted")
        profile = _is_other_profile(opened.info.get("icc_profile"))
        sixteen, signed = has_deep_colours(opened), is_signed(opened)
        image = ImageOps.exif_transpose(opened)
        deep = sixteen or image.mode == "F" or image.mode.startswith("I")
        if choices.range is None or (choices.range == "full" and not signed):
            image, low, high, limit = _eight_bit(image)
            if sixteen:  # Pillow has read the upper 8 bits
                low, high, limit = low * 257, high * 257, 65535
        else:
            if sixteen:
                raise ValueError("it has 16-bit colours, of which 8 bits are read; no range can be chosen for them")
            image = _in_range(image, choices.range)
            (low, high), limit = _extrema(image), 255
    image = image.convert("L" if channels == 1 else "RGB")
    return Decoded(fitted(image, size, choices.fit), low, high, limit, profile, deep=deep, shape=image.size)


def _decode_dicom(path: Path, size: int, channels: int, *, strict: bool, choices: Choices) -> Decoded:
    """Read an image of a DICOM file; arguments and errors as of `decode`."""
    found = dicom.read(path, choices.frame, _MOST_PIXELS)
    values, window = found.values, found.has_window
    deep = found.full is None or found.full[1] - found.full[0] > 255
    require_finite(values)
    if values.ndim == 3:
        if strict and channels == 1:
            raise ValueError(IN_COLOUR)
        image = Image.fromarray(values)
        (low, high), limit = _extrema(image), 255
    else:
        own = values if found.padding is None else values[~found.padding]
        limits = _dicom_range(found, own, choices.range)
        pixels = _windowed(found) if limits is None else eight_bit(values, *limits)
        if found.inverted:
            pixels = 255 - pixels
        if found.padding is not None:
            pixels = np.where(found.padding, np.uint8(0), pixels)
        image = Image.fromarray(pixels)
        (low, high), limit = _extrema(image), 255
        if choices.range is None and limits is not None and limits[1] - limits[0] > 255:
            limit = int(limits[1] - limits[0])
            low, high = int(own.min() - limits[0]), int(own.max() - limits[0])
    image = image.convert("L" if channels == 1 else "RGB")
    pixels = fitted(image, size, choices.fit)
    return Decoded(pixels, low, high, limit, profile=False, window=window, deep=deep, shape=image.size)


def _dicom_range(
    found: dicom.DicomImage, own: NDArray[Any], chosen: str | tuple[float, float] | None
) -> tuple[float, float] | None:
    """Return the values of black and white, or None where the file's own window decides.

    Raises:
        RangeNeeded: none is chosen, and what the file could hold does not say.
        ValueError: the file does not say what is chosen.
    """
    if isinstance(chosen, tuple):
        return chosen
    if chosen == "percentile":
        return _some(percentile_range(own))
    if chosen == "window":
        if not found.has_window:
            raise ValueError("it says no window (WindowCenter and WindowWidth); say range = [low, high]")
        return None
    if found.full is None or (chosen is None and found.full[0] < 0):
        what = "floating-point pixels" if found.full is None else "pixels that can be negative"
        raise RangeNeeded(what, float(own.min()), float(own.max()), window=found.has_window)
    return found.full


def _windowed(found: dicom.DicomImage) -> NDArray[np.uint8]:
    shares = found.table if found.window is None else found.window.shares(found.values)
    assert shares is not None
    return eight_bit(shares, 0, 1)


def _some(limits: tuple[float, float]) -> tuple[float, float]:
    """Return a range with something in it; an image of one value becomes black."""
    low, high = limits
    return (low, high) if low < high else (low, low + 1)


def _in_range(image: Image.Image, chosen: str | tuple[float, float]) -> Image.Image:
    """Return an image with 8 bits a channel, whose values of black and white are chosen.

    Raises:
        ValueError: the file does not say what is chosen.
    """
    if chosen == "window":
        raise ValueError('it has no window, which DICOM files have; say range = [low, high] or "percentile"')
    if not (image.mode in {"I", "F"} or image.mode.startswith("I;16")):
        image, *_ = _eight_bit(image)
    values = np.asarray(image)
    require_finite(values)
    if chosen == "full":  # of signed 16 bits: others are read without a range
        return Image.fromarray(eight_bit(values, -32768, 32767))
    limits = _some(percentile_range(values)) if isinstance(chosen, str) else chosen
    return Image.fromarray(eight_bit(values, *limits))


def is_signed(image: Image.Image) -> bool:
    """Return whether a file has signed 16-bit pixels, by TIFF's tags of the bits and of the sample format."""
    tags = getattr(image, "tag_v2", {})
    return image.mode.startswith("I") and tags.get(258) == (16,) and tags.get(339) == (2,)


def has_deep_colours(image: Image.Image) -> bool:
    """Return whether an image has more bits a colour than Pillow reads."""
    if image.mode.startswith(("I", "F")):
        return False
    return any(";16" in str(part[3]) for part in getattr(image, "tile", ()))


def _is_other_profile(profile: Any) -> bool:
    """Return whether a colour profile is not that of sRGB, by the name in it (UTF-16 in newer ones)."""
    return isinstance(profile, bytes) and b"sRGB" not in profile.replace(b"\0", b"")


def open_image(path: Path) -> Image.Image:
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


def is_grey(image: Image.Image) -> bool:
    """Return whether an image has one channel of values, by its mode."""
    return image.mode in _GREY_MODES or image.mode.startswith("I;16")


def _eight_bit(image: Image.Image) -> tuple[Image.Image, int, int, int]:
    """Return the image with 8 bits a channel and without transparency, its extreme values, and their limit."""
    if image.mode == "I" or image.mode.startswith("I;16"):  # Pillow itself would clip these at 255
        return _of_sixteen(image)
    if image.mode == "F":
        values = np.asarray(image)
        require_finite(values)
        raise RangeNeeded("floating-point pixels", float(values.min()), float(values.max()))
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
        raise RangeNeeded("negative pixels" if low < 0 else "more than 16 bits a pixel", low, high)
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
