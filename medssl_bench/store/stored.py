"""A stage in a store: its record, and whether its files are what the record says."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from medssl_bench.store.access import not_readable
from medssl_bench.store.reading import plain_size, read_text
from medssl_bench.store.record import Record

if TYPE_CHECKING:
    from pathlib import Path


def damage_of(record: Record, folder: Path) -> str:
    """Return which file of a stage is missing or has another size; its content is not read."""
    if record.key != folder.name:
        return "its record is that of another stage"
    for name, about in record.files.items():
        try:
            size = plain_size(folder / name)
        except PermissionError as error:  # the folder may be listed, and not looked into
            raise not_readable(folder) from error
        except FileNotFoundError:
            return f"{name} is missing"
        except OSError as error:
            return f"{name}: {error.strerror}"
        if size != about["bytes"]:
            return f"{name} has {size} bytes, not {about['bytes']}"
    return ""


def read_record(file: Path) -> Record | None:
    """Return the record of a file; None: there is none, or it is not what was written.

    Raises:
        NotReadable: this user may not read it.
    """
    try:
        return Record.from_json(read_text(file))
    except PermissionError as error:
        raise not_readable(file) from error
    except (OSError, ValueError):
        return None


def fingerprint_of(file: Path) -> dict[str, int | str]:
    """Return the size and the SHA-256 of a file, as a record has them; the file is on the disk then."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    return {"bytes": file.stat().st_size, "sha256": digest}
