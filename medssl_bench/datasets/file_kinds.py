"""What files are, by the ends of their names and by how they begin: images, images of a kind not read, or other."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from medssl_bench.datasets import dicom

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def _ends(text: str) -> frozenset[str]:
    return frozenset(f".{end}" for end in text.split())


SUFFIXES = _ends("bmp gif jfif jpe jpeg jpg pgm png pnm ppm tif tiff webp")
"""Of files that are read, beside DICOM; JFIF and JPE are JPEG."""

KINDS = ", ".join(sorted(suffix.removeprefix(".") for suffix in SUFFIXES)) + " or DICOM"
"""The same for people."""

DICOM_SUFFIXES = _ends("dcm dicom ima dic")
"""Of DICOM files, which often have no ending at all."""

_FOREIGN = _ends(
    "jp2 j2k jpx avif heic heif npy npz nii gz mha mhd nrrd svs ndpi mrxs svg mat h5 hdf5 raw hdr exr "
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


def is_image(path: Path) -> bool:
    """Return whether a file is one that is read: by its ending, or as DICOM."""
    suffix = path.suffix.lower()
    return suffix in SUFFIXES or (path.name != "DICOMDIR" and is_dicom(path))


def is_dicom(path: Path) -> bool:
    """Return whether a file is DICOM, by its ending or by how it begins; files with other known endings are not."""
    suffix = path.suffix.lower()
    if suffix in DICOM_SUFFIXES:
        return True
    if suffix in SUFFIXES or suffix in _FOREIGN or suffix in _TEXT:
        return False
    return _head(path)[128:] == b"DICM"


def _head(path: Path) -> bytes:
    """Return how a file begins; nothing of a pipe, whose reading might never end, or of one that cannot be read."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                return file.read(132)
    except OSError:
        pass
    return b""


def is_foreign(path: Path) -> bool:
    """Return whether a file that `is_image` does not know still holds images, of a kind that is not read."""
    suffix = path.suffix.lower()
    if suffix in _FOREIGN:
        return True
    if suffix in _TEXT or path.name == "DICOMDIR":
        return False
    head = _head(path)
    return head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def wrong_with_dicom(names: Sequence[str], *, mixed: bool) -> str:
    """Return why DICOM files cannot be read as they are, or an empty string.

    Args:
        names: of all images; those without an image's ending are DICOM.
        mixed: whether DICOM and other files may be together, as their range is chosen.
    """
    found = [name for name in names if PurePosixPath(name).suffix.lower() not in SUFFIXES]
    if not found:
        return ""
    what = f"{len(found):,} of {len(names):,} images are DICOM ({found[0]}, say)"
    if not dicom.is_installed():
        return f"{what}; {dicom.INSTALL}"
    if mixed or len(found) == len(names):
        return ""
    pattern = f"*{PurePosixPath(found[0]).suffix}" if PurePosixPath(found[0]).suffix else PurePosixPath(found[0]).name
    return (
        f"{what} and the others are not, so one value may be of different greys; go without one kind (a folder: "
        f'leave_out = ["{pattern}"]), or say range = "percentile" or range = [low, high] to read both'
    )


def masks_of_others(stems: Sequence[str]) -> list[tuple[int, str]]:
    """Return which names, without their ends, are those of masks of others, and what they have more: ``_mask``."""
    known = set(stems)
    found = []
    for place, stem in enumerate(stems):
        match = _MASK.fullmatch(stem)
        if match and match["of"] in known:
            found.append((place, re.sub(r"[ _-]?\d+$", "", match["sign"])))
    return found
