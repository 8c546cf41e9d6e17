"""What image files say of themselves: size in pixels, bits and colour. Their pixels are not read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.datasets import dicom
from medssl_bench.datasets.decode import has_deep_colours, is_grey, is_signed, open_image
from medssl_bench.datasets.file_kinds import is_dicom

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class FileFacts:
    """What a file says.

    Attributes:
        width: in pixels, as stored.
        height: in pixels, as stored.
        bits: of a value: 1, 8, 12, 16 or 32, say.
        colour: whether it has colours.
    """

    width: int
    height: int
    bits: int
    colour: bool


def facts_of(path: Path) -> FileFacts:
    """Return what a file says.

    Raises:
        Exception: whatever the decoder raises on a broken file.
    """
    if is_dicom(path):
        height, width, bits = dicom.shape(path)
        return FileFacts(width, height, bits, dicom.is_colour(path))
    with open_image(path) as image:
        sixteen = has_deep_colours(image) or is_signed(image)
        return FileFacts(image.width, image.height, _bits(image.mode, sixteen=sixteen), not is_grey(image))


def _bits(mode: str, *, sixteen: bool) -> int:
    if mode.startswith("I;16") or sixteen:
        return 16
    return {"1": 1, "I": 32, "F": 32}.get(mode, 8)
