"""A file that is written where there is none, as a whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from medssl_bench.errors import UserError
from medssl_bench.store.atomic import sync


def refuse_existing(file: Path) -> None:
    """Refuse to write where something is, or where there is no folder.

    Raises:
        UserError: there is something, or the folder is not there.
    """
    if file.is_symlink() or file.exists():
        raise UserError(f"{file}: is there already, and is not overwritten; name another with --output")
    if not file.absolute().parent.is_dir():
        raise UserError(f"{file}: there is no folder {file.parent}; make it, or name another file with --output")


@contextmanager
def part_of(file: Path) -> Iterator[Path]:
    """Give the name of a hidden file beside one that is to be written; it is gone at the end of the block."""
    part = file.with_name(f".init-{uuid.uuid4().hex[:8]}.toml")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def put_in_place(part: Path, file: Path) -> None:
    """Give a file its name, which no other file has.

    Raises:
        UserError: meanwhile another file has it.
    """
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    try:
        os.link(part, file)  # a rename would replace what is there
    except FileExistsError:
        refuse_existing(file)
        raise
    except OSError:  # a file system without links
        refuse_existing(file)
        part.rename(file)
    with suppress(OSError):
        sync(file.absolute().parent)
