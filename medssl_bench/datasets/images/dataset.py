"""Data sets of the user's own that are nothing but images without labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from medssl_bench.datasets.base import SPLITS, Dataset, DatasetInfo, Images, Task
from medssl_bench.datasets.pixel_choices import Choices, Fit, Range, choices
from medssl_bench.errors import DataError, printable

if TYPE_CHECKING:
    from medssl_bench.datasets.base import DatasetContext, Splits
    from medssl_bench.datasets.images.array import ImageArray
    from medssl_bench.datasets.images.files import ImageFiles

_SIZE = 28
"""Side in pixels that files are resized to, where the suite says none."""


@dataclass(frozen=True)
class ImagesDataset(Dataset):
    """Images without labels; see `images` for the fields."""

    context: DatasetContext
    path: Path
    match: list[str] | None
    leave_out: list[str] | None
    array: str | None
    size: int | None
    colour: Literal["auto", "grey", "rgb"]
    title: str
    licence: str
    source: str
    choices: Choices

    is_labelled: ClassVar[bool] = False

    @cached_property
    def _found(self) -> ImageFiles | ImageArray:
        from medssl_bench.datasets.images.array import ImageArray
        from medssl_bench.datasets.images.files import ImageFiles

        if self.path.is_dir():
            if self.array is not None:
                raise DataError(f"{self.path}: a folder has no array {self.array!r}; leave out 'array'")
            wanted = (tuple(self.match or ()), self.leave_out)
            return ImageFiles(self.path, *wanted, self.size or _SIZE, self.colour, self.context.cache_dir, self.choices)
        if self.match or self.leave_out or self.colour != "auto" or self.choices != Choices():
            named = "'match', 'leave_out', 'colour', 'range', 'fit' and 'frame'"
            raise DataError(f"{self.path}: {named} are for folders; leave them out")
        return ImageArray(self.path, self.array, self.size, self.context.cache_dir)

    def info(self) -> DatasetInfo | None:
        """Look through all images, unless that has been done before; None where there is no file or folder.

        Raises:
            DataError: there are no images, or some cannot be read.
        """
        listed = self.outline()
        return listed and replace(listed, notes=self._found.notes())  # images that cannot be read raise here

    def outline(self) -> DatasetInfo | None:
        """List the files, or read the head of the array."""
        if not self.path.exists():
            return None
        found = self._found
        return DatasetInfo(
            title=self.title,
            task=Task.NONE,
            classes=(),
            channels=found.channels,
            size=found.side,
            counts=dict.fromkeys(SPLITS, 0),
            licence=self.licence,
            source=self.source,
            notes=found.listing_notes(),
            unlabelled=found.count,
        )

    def fingerprint(self) -> str | None:
        """Return the SHA-256 over the names and contents of the images, or of the file; None where there is none.

        Raises:
            DataError: a file cannot be read.
        """
        return f"sha256:{self._found.sha256()}" if self.path.exists() else None

    def image_files(self) -> list[Path]:
        """Return all files; nothing of an array."""
        return self._found.files()

    def load(self) -> Splits:
        """Return no splits: no image has a label."""
        return {}

    def load_unlabelled(self) -> Images:
        """Return the images, where they are large as a read-only memory map.

        Raises:
            DataError: there are none, or some cannot be read.
        """
        if not self.path.exists():
            raise DataError(f"{self.path}: there is no such file or folder; correct 'path' of the data set 'images'")
        return Images(self._found.images())


def images(
    context: DatasetContext,
    *,
    path: Path,
    match: list[str] | None = None,
    leave_out: list[str] | None = None,
    array: str | None = None,
    size: Annotated[int, Field(ge=8)] | None = None,
    colour: Literal["auto", "grey", "rgb"] = "auto",
    range: Range | None = None,  # noqa: A002 - a key of suites
    fit: Fit = "crop",
    frame: Annotated[int, Field(ge=0)] | None = None,
    title: str | None = None,
    licence: str = "unknown",
    source: str = "",
) -> ImagesDataset:
    """Images without labels, to pretrain on: a folder of any depth, or an array.

    A folder is read with all folders below it, whatever they are called. Each image is treated as the data set
    `folder` does: turned as its EXIF data says, its short side resized to `size`, its middle square kept. Images of
    a kind that is not read, and masks beside images, are refused; `leave_out` says what is meant. An array is a .npy
    file, or one of a .npz file: uint8, (N, size, size) for grey images or (N, size, size, 3) for RGB. A .npy file is
    never read into memory as a whole.

    No arm can be judged on such a set: name it in an arm's pretraining, as in
    ``{ recipe = "...", on = "my_images" }``.

    Args:
        context: whose `cache_dir` keeps the resized images.
        path: the folder or file; a relative path starts from the suite's folder.
        match: patterns of the files and folders below `path` that are read; if left out, all. ``"site_a"``,
            ``"*/raw"`` and ``"**/*.png"`` are such patterns.
        leave_out: patterns of files and folders to leave out, by name (``"*_mask*"``) or by path below `path`; an
            empty list says that what looks like masks are images.
        array: name of the array in a .npz file; not needed where it has one array alone.
        size: side of the images in pixels; if left out, that of the array, or 28 for files.
        colour: grey images have one channel, rgb ones three; auto looks at 50 images all over the folder, and refuses
            to make others grey that are in colour.
        range: values that become black and white: ``"full"``, ``"percentile"``, ``[low, high]`` or ``"window"``; see
            `folder`.
        fit: ``"crop"``, ``"pad"`` or ``"stretch"``; see `folder`.
        frame: image of files that hold several, from 0.
        title: name for people; if left out, the folder's or file's name.
        licence: licence of the images, for tables and figures made of them.
        source: citation or address of the data.

    Raises:
        DataError: the range holds nothing.
    """
    name, read = title or printable(path.stem), choices(path, range, fit, frame)
    return ImagesDataset(context, path, match, leave_out, array, size, colour, name, licence, source, read)
