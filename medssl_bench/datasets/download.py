"""Published files: looked for in the data folder, downloaded when they are not there, checked by their MD5."""

from __future__ import annotations

from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from urllib.error import URLError

from medssl_bench.datasets.digests import file_md5
from medssl_bench.datasets.partial_files import write_out
from medssl_bench.datasets.progress import progress_bar
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from medssl_bench.datasets.base import DatasetContext
    from medssl_bench.datasets.progress import Report


@runtime_checkable
class Downloadable(Protocol):
    """A data set that can be fetched ahead of its use; any plugin's data set may offer these two."""

    def is_present(self) -> bool:
        """Return whether the files are there, without reading them."""

    def fetch(self, report: Report | None = None) -> Path:
        """Download what is not there and return the file or folder; `report` replaces the progress bar."""


@dataclass(frozen=True)
class RemoteFile:
    """A published file.

    Attributes:
        name: its name in the data folder, and on a mirror.
        url: its address.
        md5: its published MD5, in hexadecimal.
    """

    name: str
    url: str
    md5: str


def is_present(file: RemoteFile, context: DatasetContext) -> bool:
    """Return whether a file is in the data folder; its content is not read."""
    return (context.data_dir / file.name).is_file()


def fetch(file: RemoteFile, context: DatasetContext, report: Report | None = None) -> Path:
    """Return the path of a file whose content is the published one, downloading it if it is not there.

    A download that was interrupted goes on where it stopped, and only one process at a time downloads a file. A file
    that has been checked before is not read again while its size and modification time stay.

    Args:
        file: what is wanted.
        context: the data folder, the cache that remembers checks, and the mirror.
        report: is called with the bytes that are there and their total (None: unknown) instead of showing a bar.

    Raises:
        DataError: the file cannot be had, or has another content than the published one.
    """
    path = context.data_dir / file.name
    try:
        if not path.is_file():
            _download(file, path, context, report)
        found = file_md5(path, context.cache_dir)
    except (OSError, HTTPException) as error:
        place = f" from {context.mirror}" if context.mirror else ""
        raise DataError(
            f"cannot get {file.name}{place} ({_reason(error)}); by hand: save {file.url} as {file.name}, check that "
            f"its MD5 is {file.md5}, and put it into {context.data_dir}"
        ) from error
    if found != file.md5:
        raise DataError(
            f"{path}: its MD5 is {found}, the published file's is {file.md5}; delete it to download it again, or "
            f'use it as it is with {{ name = "npz", path = "..." }}'
        )
    return path


def _download(file: RemoteFile, path: Path, context: DatasetContext, report: Report | None) -> None:
    from filelock import FileLock

    from medssl_bench.datasets.resume import resume

    url = f"{context.mirror.rstrip('/')}/{file.name}" if context.mirror else file.url
    part = path.with_name(f"{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        if path.is_file():  # another process had the lock and has fetched it
            return
        if report is None:
            with progress_bar(f"downloading {file.name}", "bytes") as shown:
                resume(url, part, shown)
        else:
            resume(url, part, report)
        write_out(part)  # before its MD5 is remembered
        found = file_md5(part, context.cache_dir)
        if found != file.md5:
            part.unlink()
            raise DataError(
                f"{url} sent another file than the published {file.name}: its MD5 is {found}, not {file.md5}; it was "
                f"deleted. Try again, or try another mirror"
            )
        part.replace(path)


def _reason(error: BaseException) -> str:
    """Return one line on why a file cannot be had."""
    cause = error.reason if type(error) is URLError else error  # urllib wraps what the system said
    text = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return text.partition("\n")[0] or type(cause).__name__
