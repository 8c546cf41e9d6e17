"""What files are, by the ends of their names and by how they begin: images, images of a kind not read, or other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def _ends(text: str) -> frozenset[str]:
    return frozenset(f".{end}" for end in text.split())


SUFFIXES = _ends("bmp gif jfif jpe jpeg jpg pgm png pnm ppm tif tiff webp")
"""Of files that are read; JFIF and JPE are JPEG."""

KINDS = ", ".join(sorted(suffix.removeprefix(".") for suffix in SUFFIXES))
"""The same for people."""

_FOREIGN = _ends(
    "dcm dicom ima jp2 j2k jpx avif heic heif npy npz nii gz mha mhd nrrd svs ndpi mrxs svg mat h5 hdf5 raw hdr exr "
    "psd dng webm mp4 avi mov zip tar tgz 7z rar pt pkl tfrecord parquet apng jxl"
)
_TEXT = _ends(
    "txt csv tsv json xml md yaml yml html htm log db ini py ipynb doc docx xls xlsx pdf lnk url toml cfg md5 sha256 "
    "rst tex bib xmp part lock crc"
)
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"BM", b"\0\0\0\x0cjP", b"\x93NUMPY", b"\x89HDF")
_MASK = re.compile(
    r"(?P<of>.*?)(?P<sign>[ _.-]*(?:mask|masks|seg|segmentation|label|labels|gt|groundtruth|annotation|contour|overlay)"
    r"(?:[ _-]?\d+)?)",
    re.IGNORECASE,
)


def is_foreign(path: Path) -> bool:
    """Return whether a file, not one of `SUFFIXES`, holds images of a kind that is not read, such as DICOM."""
    suffix = path.suffix.lower()
    if suffix in _FOREIGN:
        return True
    if suffix in _TEXT or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            head = file.read(132)
    except OSError:  # it is counted as another file
        return False
    return head.startswith(_MAGIC) or head[128:] == b"DICM" or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def masks_of_others(stems: Sequence[str]) -> list[tuple[int, str]]:
    """Return which names, without their ends, are those of masks of others, and what they have more: ``_mask``."""
    known = set(stems)
    found = []
    for place, stem in enumerate(stems):
        match = _MASK.fullmatch(stem)
        if match and match["of"] in known:
            found.append((place, re.sub(r"[ _-]?\d+$", "", match["sign"])))
    return found
