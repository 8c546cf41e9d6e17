"""A study as one file: its suite, the results that its tables and figures come from, and what is known of its data."""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
import tempfile
import uuid
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from medssl_bench.errors import StoreError, UserError
from medssl_bench.store.record import Record
from medssl_bench.store.store import LAYOUT, Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_RECORD = re.compile(r"store/done/([0-9a-f]{2})/(\1[0-9a-f]{62})/record\.json")
_FILE = re.compile(r"store/done/([0-9a-f]{2})/(\1[0-9a-f]{62})/([^/]+)")
_DATASET = re.compile(r"store/datasets/[0-9a-f]{32}\.json")
_LARGEST_TEXT = 4 * 2**20
"""Bytes of the largest record that is read from an archive."""


@dataclass(frozen=True)
class Study:
    """What goes into an archive.

    Attributes:
        name: of the suite.
        files: the suite and what it is made of, by their place under ``suite/``.
        keys: of the stages.
    """

    name: str
    files: Mapping[str, Path]
    keys: Sequence[str]


def write_archive(study: Study, store: Store, output: Path, *, readme: str) -> int:
    """Write a gzipped tar file, whole or not at all; the same study gives the same bytes.

    Args:
        study: what goes in; stages that are not finished are left out.
        store: where the stages are.
        output: the file.
        readme: text of ``README.md`` in it.

    Returns:
        How many stages are in it.

    Raises:
        UserError: the file cannot be written.
        StoreError: a stage is not what was written.
    """
    part = output.with_name(f".{output.name}.{uuid.uuid4().hex[:8]}")
    records = [record for key in sorted(study.keys) if (record := store.record(key)) is not None]
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with (
            part.open("wb") as raw,
            gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,
            tarfile.open(fileobj=cast("BinaryIO", packed), mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            _add(tar, "README.md", readme.encode())
            for name, file in sorted(study.files.items()):
                _add(tar, f"suite/{name}", file.read_bytes())
            _add(tar, "store/store.json", (json.dumps({"layout": LAYOUT}) + "\n").encode())
            for file in sorted((store.path / "datasets").glob("*.json")):
                _add(tar, f"store/datasets/{file.name}", file.read_bytes())
            for record in records:
                _add_stage(tar, record, store)
        part.replace(output)
    except OSError as error:
        raise UserError(f"-o {output}: this cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return len(records)


def _add_stage(tar: tarfile.TarFile, record: Record, store: Store) -> None:
    place = f"store/done/{record.key[:2]}/{record.key}"
    _add(tar, f"{place}/record.json", record.to_json().encode())
    for name in sorted(record.files):
        file = store.checked(record.key, name)
        member = _member(f"{place}/{name}", file.stat().st_size)
        with file.open("rb") as content:
            tar.addfile(member, content)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    tar.addfile(_member(name, len(content)), io.BytesIO(content))


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)  # of no time and no owner
    member.size, member.mode = size, 0o644
    return member


@contextmanager
def opened_archive(file: Path) -> Iterator[Store]:
    """Give the store that is in an archive; it is unpacked into a temporary folder.

    Nothing but plain files of stages and data sets is unpacked, and no more of a stage than its record says.

    Raises:
        StoreError: the file is no archive of a study.
    """
    try:
        _read_through(file)
        with tempfile.TemporaryDirectory(prefix="medssl-bench-") as folder:
            store = Store(Path(folder) / "store")
            store.prepare()
            records = _unpack_records(file, store)
            _unpack_files(file, store, records)
            yield store
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise StoreError(f"{file}: this is no archive of `store export`, or a damaged one ({error})") from error


def _read_through(file: Path) -> None:
    """Read a gzipped file to its end, where its checksum is: tar itself does not miss an end that was cut off."""
    try:
        with gzip.open(file) as content:
            if not content.read(1):
                raise EOFError("it is empty")
            while content.read(2**20):
                pass
    except gzip.BadGzipFile:
        raise
    except OSError as error:
        raise StoreError(f"{file}: this cannot be read: {error.strerror or error}") from error


def _unpack_records(file: Path, store: Store) -> dict[str, Record]:
    records: dict[str, Record] = {}
    for name, member, tar in _members(file):
        match = _RECORD.fullmatch(name)
        if not match and not _DATASET.fullmatch(name):
            continue
        if member.size > _LARGEST_TEXT:
            raise StoreError(f"{file}: {name!r} is too large to be what it should be")
        reading = tar.extractfile(member)
        content = reading.read() if reading else b""
        if match:
            try:
                records[match[2]] = Record.from_json(content.decode())
            except ValueError as error:
                raise StoreError(f"{file}: {name}: {error}") from error
        target = store.path / name.removeprefix("store/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return records


def _unpack_files(file: Path, store: Store, records: Mapping[str, Record]) -> None:
    for name, member, tar in _members(file):
        match = _FILE.fullmatch(name)
        about = records[match[2]].files.get(match[3]) if match and match[2] in records else None
        if match is None or about is None or member.size != about["bytes"]:
            continue  # of no stage, or not what its record says: the stage is then seen to be damaged
        reading = tar.extractfile(member)
        with (store.folder(match[2]) / match[3]).open("wb") as writing:
            while reading and (block := reading.read(2**20)):
                writing.write(block)


def _members(file: Path) -> Iterator[tuple[str, tarfile.TarInfo, tarfile.TarFile]]:
    """Yield the plain files of an archive, by their path within it."""
    try:
        with tarfile.open(file, "r:gz") as tar:
            for member in tar:
                if member.isreg():
                    yield member.name, member, tar
    except OSError as error:
        raise StoreError(f"{file}: this cannot be read: {error.strerror or error}") from error
