"""A data set whose images are files that a listing names: what a folder and a table have in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from medssl_bench.datasets.base import Dataset, DatasetInfo
from medssl_bench.datasets.file_reading import FileReading
from medssl_bench.datasets.folder.files import Files

if TYPE_CHECKING:
    from medssl_bench.datasets.base import DatasetContext
    from medssl_bench.datasets.folder.image_cache import ReadImages
    from medssl_bench.datasets.pixel_choices import Choices


class Listed(Files, Protocol):
    """The labelled images, and beside them those without labels."""

    @property
    def unlabelled(self) -> Files | None:
        """The images without labels; None: there are none."""


class FileDataset(Dataset):
    """Reads the files of a listing.

    Attributes:
        context: whose `cache_dir` keeps the resized images.
        size: side of the images in pixels.
        colour: whether images are grey; ``auto`` refuses later ones in colour where the first are grey.
        choices: range, fit and frame.
    """

    context: DatasetContext
    size: int
    colour: Literal["auto", "grey", "rgb"]
    choices: Choices

    @property
    @abstractmethod
    def _listing(self) -> Listed:
        """The files."""

    @property
    @abstractmethod
    def _channels(self) -> int:
        """1 for grey images, 3 for RGB ones."""

    @cached_property
    def _unreadable(self) -> dict[str, str]:
        from medssl_bench.datasets.folder.listing import unreadable_files

        return unreadable_files(self._listing)

    @cached_property
    def _read(self) -> ReadImages:
        return self._decoded(self._listing, "" if self._unreadable else self.fingerprint() or "", self._unreadable)

    @cached_property
    def _read_unlabelled(self) -> ReadImages | None:
        """The images without labels, if there are any."""
        from medssl_bench.datasets.folder.listing import unreadable_files

        files = self._listing.unlabelled
        if files is None:
            return None
        unreadable = unreadable_files(files)
        return self._decoded(files, "" if unreadable else self._unlabelled_fingerprint(), unreadable)

    def _unlabelled_fingerprint(self) -> str:
        """Return a text that changes with the images without labels; empty where there are none."""
        from medssl_bench.datasets.folder.image_cache import contents_sha256
        from medssl_bench.datasets.folder.listing import unreadable_files

        files = self._listing.unlabelled
        if files is None:
            return ""
        return f"sha256:{contents_sha256(files, unreadable_files(files), self.context.cache_dir)}"

    def _decoded(self, files: Files, fingerprint: str, unreadable: dict[str, str]) -> ReadImages:
        from medssl_bench.datasets.folder.image_cache import read_images

        return read_images(
            files,
            fingerprint,
            self.context.cache_dir,
            size=self.size,
            channels=self._channels,
            strict=self.colour == "auto",
            unreadable=unreadable,
            choices=self.choices,
        )

    def info(self) -> DatasetInfo | None:
        """List the files and decode them, unless that has been done before; None where they are not there.

        Training needs them decoded anyway; an image that cannot be is to be known before anything is trained.

        Raises:
            DataError: it is not clear what the listing means, or files cannot be read.
        """
        listed = self.outline()
        if listed is None:
            return None
        read = (self._read, self._read_unlabelled)  # images that cannot be read raise here
        return replace(
            listed,
            notes=(*listed.notes, *(note for each in read if each for note in each.notes)),
            unlabelled_fingerprint=self._unlabelled_fingerprint(),
            files=FileReading(self.choices, self.colour == "auto", self._read.bits),
        )

    @abstractmethod
    def outline(self) -> DatasetInfo | None:
        """List the files, and decode none."""

    def image_files(self) -> list[Path]:
        """Return all files."""
        unlabelled = self._listing.unlabelled
        return [self._listing.root / n for n in (*self._listing.names, *(unlabelled.names if unlabelled else ()))]
