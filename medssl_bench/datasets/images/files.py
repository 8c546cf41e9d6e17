"""The image files below a folder, none of which has a label."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from medssl_bench.datasets.folder.image_cache import contents_sha256, read_images
from medssl_bench.datasets.folder.listing import list_below, unreadable_files, without_labels
from medssl_bench.datasets.folder.tree import LeftOut, Node
from medssl_bench.datasets.folder.unlabelled import is_colour, matching, spread
from medssl_bench.datasets.pixel_choices import Choices
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from medssl_bench.datasets.folder.image_cache import ReadImages
    from medssl_bench.datasets.folder.listing import Listing


@dataclass(frozen=True)
class ImageFiles:
    """Image files below a folder.

    Attributes:
        root: the folder.
        match: patterns of what is read; none: everything.
        leave_out: patterns of what is left out.
        side: in pixels, of the images as they are read.
        colour: ``auto``, ``grey`` or ``rgb``.
        cache_dir: where they are kept as they were read.
        choices: what the suite says of range, fit and frame.
    """

    root: Path
    match: tuple[str, ...]
    leave_out: list[str] | None
    side: int
    colour: Literal["auto", "grey", "rgb"]
    cache_dir: Path
    choices: Choices = Choices()  # noqa: RUF009 - it is frozen

    @cached_property
    def _listed(self) -> tuple[Listing, tuple[str, ...]]:
        """The images, and what people should know of their choice."""
        left_out = LeftOut()
        try:
            top = Node(self.root, self.root, tuple(self.leave_out or ()))
            listing = list_below(top, self.leave_out, left_out)
        except OSError as error:
            raise DataError(f"{error.filename}: cannot be read ({error.strerror})") from error
        notes = left_out.lines()
        if self.match:
            names, unused = matching(listing.names, self.match)
            if unused:
                raise DataError(f"{self.root}: 'match': no image is {unused[0]!r}, or in such a folder; correct it")
            if other := len(listing.names) - len(names):
                notes.append(f"left out: {other:,} images by 'match'")
            listing = without_labels(self.root, names)
        return listing, tuple(notes)

    @property
    def _listing(self) -> Listing:
        return self._listed[0]

    @property
    def count(self) -> int:
        """Number of images."""
        return len(self._listing.names)

    @cached_property
    def channels(self) -> int:
        """1 (grey) or 3 (RGB); with ``colour = "auto"``, 3 if one of some images is in colour."""
        if self.colour != "auto":
            return 1 if self.colour == "grey" else 3
        names = [name for name in spread(self._listing.names) if name not in self._unreadable]
        return 3 if is_colour(self.root, names) else 1

    @cached_property
    def _unreadable(self) -> dict[str, str]:
        return unreadable_files(self._listing)

    @cached_property
    def _read(self) -> ReadImages:
        return read_images(
            self._listing,
            "" if self._unreadable else self.sha256(),
            self.cache_dir,
            size=self.side,
            channels=self.channels,
            strict=self.colour == "auto",
            unreadable=self._unreadable,
            choices=self.choices,
        )

    def sha256(self) -> str:
        """Return the SHA-256 over their names and contents.

        Raises:
            DataError: a file cannot be read.
        """
        return contents_sha256(self._listing, self._unreadable, self.cache_dir)

    def files(self) -> list[Path]:
        """Return them."""
        return [self.root / name for name in self._listing.names]

    def listing_notes(self) -> tuple[str, ...]:
        """Return what people should know of which files are read, a line each."""
        return self._listed[1]

    def notes(self) -> tuple[str, ...]:
        """Return what people should know of them, a line each.

        Raises:
            DataError: files cannot be read, or use little of their range.
        """
        return (*self._listed[1], *self._read.notes)

    def images(self) -> NDArray[np.uint8]:
        """Return them, (N, side, side) or (N, side, side, 3); errors as of `notes`."""
        return self._read.images
