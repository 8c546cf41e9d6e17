"""DICOM files (PS3.3): values, window and colours. Only elements of the image are read, never those of the patient."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

INSTALL = 'DICOM is read with pydicom: pip install "medssl-bench[dicom]"'

_PALETTE = [
    f"{start}{colour}PaletteColorLookupTable{end}"
    for colour in ("Red", "Green", "Blue")
    for start, end in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
]
_PIXELS = ["PixelData", "FloatPixelData", "DoubleFloatPixelData"]
_ELEMENTS = [
    *("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue"),
    *("RescaleIntercept", "RescaleSlope", "ModalityLUTSequence"),
    *("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *_PALETTE,
    *_PIXELS,
]
"""What is read of a file; all else, names and dates among it, is passed over."""


@dataclass(frozen=True)
class Window:
    """A window of a file, as its `WindowCenter`, `WindowWidth` and `VOILUTFunction` say it."""

    centre: float
    width: float
    function: str

    def shares(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return values as shares of white, from 0 to 1.

        Source: DICOM PS3.3, C.11.2.1.2 and C.11.2.1.3.

        Raises:
            ValueError: the window is of no width, or of an unknown function.
        """
        centre, width, values = self.centre, self.width, values.astype(np.float64)
        if width < 1 if self.function == "LINEAR" else width <= 0:
            raise ValueError(f"its window is {width:g} wide, which DICOM does not allow; say range = [low, high]")
        if self.function == "SIGMOID":
            return 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700)))  # beyond, exp overflows
        if self.function == "LINEAR_EXACT":
            return np.clip((values - centre) / width + 0.5, 0, 1)
        if self.function != "LINEAR":
            raise ValueError(f"its window has the function {self.function!r}, which is not known")
        if width == 1:
            return (values > centre - 0.5).astype(np.float64)
        return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)


@dataclass(frozen=True)
class DicomImage:
    """One image of a file.

    Attributes:
        values: (H, W) after the rescaling of the file, or (H, W, 3) of 8 bits.
        full: the smallest and the largest value that the file could hold, rescaled; None where nothing says.
        window: its first window, or None.
        table: its look-up table of values in place of a window, as shares of white; or None.
        inverted: whether its smallest value is white (MONOCHROME1).
        padding: which pixels are padding, by a value that the file names; or None.
    """

    values: NDArray[Any]
    full: tuple[float, float] | None
    window: Window | None = None
    table: NDArray[np.float64] | None = None
    inverted: bool = False
    padding: NDArray[np.bool_] | None = None

    @property
    def has_window(self) -> bool:
        """Whether the file says which values are black and white."""
        return self.window is not None or self.table is not None


def is_installed() -> bool:
    """Return whether there is pydicom."""
    return find_spec("pydicom") is not None


def is_colour(path: Path) -> bool:
    """Return whether a file holds colours; its pixels are not read."""
    data = _read(path, pixels=False)
    return int(data.get("SamplesPerPixel", 1)) > 1 or data.get("PhotometricInterpretation") == "PALETTE COLOR"


def shape(path: Path) -> tuple[int, int, int]:
    """Return height, width and bits of the values of a file; its pixels are not read.

    Raises:
        Exception: whatever pydicom raises on a broken file.
    """
    data = _read(path, pixels=False)
    return int(data.Rows), int(data.Columns), int(data.BitsStored)


def read(path: Path, frame: int | None, most_pixels: int) -> DicomImage:
    """Read an image of a file.

    Args:
        path: the file.
        frame: which image, where there are several; None refuses several.
        most_pixels: that an image may have.

    Raises:
        Exception: whatever pydicom raises on a broken file; ValueError for one that is not an image, or refused.
    """
    from pydicom.pixels import apply_color_lut, pixel_array

    data = _read(path, pixels=True)
    if not any(name in data for name in _PIXELS):
        raise ValueError("DICOM without an image, as a report or a plan is")
    frames = int(data.get("NumberOfFrames") or 1)
    index = frame_of(frames, frame)
    if int(data.Rows) * int(data.Columns) > most_pixels:
        raise ValueError(f"it has more than {most_pixels:,} pixels; make it smaller")
    with warnings.catch_warnings(action="ignore"):
        values = pixel_array(data, index=index)
        if data.PhotometricInterpretation == "PALETTE COLOR":
            values = apply_color_lut(values, data)
    if values.ndim == 3:
        return DicomImage(_colours(values, data), (0, 255))
    return _grey(values, data, index)


def frame_of(frames: int, frame: int | None) -> int:
    """Return which image of a file is read.

    Raises:
        ValueError: it holds several and none is chosen, or has no such image.
    """
    if frames > 1 and frame is None:
        raise ValueError(f"it holds {frames:,} images; save each as a file, or say frame = 0 to read the first of each")
    if frame is not None and frame >= frames:
        raise ValueError(f"it holds {frames:,} image{'s' if frames > 1 else ''}; frame = {frame} (from 0) is not there")
    return frame or 0


def _read(path: Path, *, pixels: bool) -> Any:
    if not is_installed():
        raise ValueError(INSTALL)
    from pydicom import dcmread

    with warnings.catch_warnings(action="ignore"):  # of what a file has that it should not
        return dcmread(path, stop_before_pixels=not pixels, specific_tags=[*_ELEMENTS])


def _colours(values: NDArray[Any], data: Any) -> NDArray[np.uint8]:
    if values.dtype == np.uint16 and data.PhotometricInterpretation == "PALETTE COLOR":  # its table has 16 bits
        return (values >> 8).astype(np.uint8)
    if values.dtype != np.uint8 or values.shape[-1] != 3:
        raise ValueError(f"it has colours of {values.dtype}, not of 8 bits; save it as PNG")
    return values


def _grey(values: NDArray[Any], data: Any, index: int) -> DicomImage:
    values, full, padding = _stored(values, data)
    found = _Groups(data, index)
    if table := found.item("ModalityLUTSequence"):
        values, bits = _looked_up(values, table)
        full = (0.0, float(2**bits - 1))
    else:
        slope, intercept = found.number("RescaleSlope", 1.0), found.number("RescaleIntercept", 0.0)
        if slope == 0:
            raise ValueError("its RescaleSlope is 0")
        if (slope, intercept) != (1, 0):
            values = values.astype(np.float64) * slope + intercept
        full = full and _ascending(full[0] * slope + intercept, full[1] * slope + intercept)
    centre, width = found.number("WindowCenter", None), found.number("WindowWidth", None)
    window = None
    if centre is not None and width is not None:
        window = Window(centre, width, str(found.value("VOILUTFunction") or "LINEAR"))
    shares = None
    if window is None and (table := found.item("VOILUTSequence")):
        looked_up, bits = _looked_up(values, table)
        shares = looked_up / (2**bits - 1)
    kind = str(data.PhotometricInterpretation)
    if not kind.startswith("MONOCHROME"):
        raise ValueError(f"it is of the kind {kind}, which is not read")
    return DicomImage(values, full, window, shares, kind == "MONOCHROME1", padding)


def _ascending(first: float, second: float) -> tuple[float, float]:
    return min(first, second), max(first, second)


def _stored(
    values: NDArray[Any], data: Any
) -> tuple[NDArray[Any], tuple[float, float] | None, NDArray[np.bool_] | None]:
    """Return the values as stored, the range that their bits have, and which are padding."""
    padding = data.get("PixelPaddingValue")
    padded = values == padding if isinstance(padding, int | float) else None
    if padded is not None and (not padded.any() or padded.all()):
        padded = None
    if values.dtype.kind == "f":
        return values, None, padded
    bits = int(data.BitsStored)
    signed = int(data.get("PixelRepresentation", 0)) == 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return values, (float(low), float(high)), padded


def _looked_up(values: NDArray[Any], table: Any) -> tuple[NDArray[Any], int]:
    """Return the values of a look-up table, and its bits (PS3.3, C.11.1.1)."""
    entries, first, bits = (int(number) for number in table.LUTDescriptor)
    entries = entries or 2**16
    data = table.LUTData
    if isinstance(data, bytes):
        data = np.frombuffer(data, np.uint8 if bits <= 8 and len(data) == entries else "<u2")
    found = np.asarray(data).astype(np.int64)
    if len(found) < entries:
        raise ValueError("its look-up table is shorter than it declares")
    places = np.clip(np.floor(values).astype(np.int64) - first, 0, entries - 1)
    return found[places], bits


class _Groups:
    """The elements of one image: at the top of a file, or in its functional groups (enhanced multi-frame files)."""

    def __init__(self, data: Any, index: int) -> None:
        frames = data.get("PerFrameFunctionalGroupsSequence") or []
        own = [frames[index]] if index < len(frames) else []
        groups = [*own, *(data.get("SharedFunctionalGroupsSequence") or [])]
        inner = [
            item
            for group in groups
            for name in ("PixelValueTransformationSequence", "FrameVOILUTSequence")
            for item in (group.get(name) or [])
        ]
        self._places = [*inner, data]

    def value(self, name: str) -> Any:
        return next((place[name].value for place in self._places if name in place), None)

    def number(self, name: str, default: Any) -> Any:
        """Return the first number of an element, or a default where there is none."""
        value = self.value(name)
        if value is None or value == "":
            return default
        many = not isinstance(value, str | int | float) and hasattr(value, "__getitem__")
        return float(value[0]) if many and len(value) else default if many else float(value)

    def item(self, name: str) -> Any:
        """Return the first item of a sequence of look-up tables, or None."""
        found = self.value(name)
        return found[0] if found else None
