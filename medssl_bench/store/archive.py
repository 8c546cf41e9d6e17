"""A study as one file: its suite, the results that its tables and figures come from, and what is known of its data."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shutil
import tarfile
import tempfile
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from medssl_bench.errors import StoreError, UserError
from medssl_bench.store.descriptions import description_text, read_description
from medssl_bench.store.places import for_strangers
from medssl_bench.store.reading import LARGEST_TEXT
from medssl_bench.store.record import Record
from medssl_bench.store.store import LAYOUT, Store
from medssl_bench.store.tar import members_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

_RECORD = re.compile(r"store/done/([0-9a-f]{2})/(\1[0-9a-f]{62})/record\.json")
_FILE = re.compile(r"store/done/([0-9a-f]{2})/(\1[0-9a-f]{62})/([^/]+)")
_DATASET = re.compile(r"store/datasets/[0-9a-f]{32}\.json")


@dataclass(frozen=True)
class Study:
    """What goes into an archive.

    Attributes:
        name: of the suite.
        files: the suite and what it is made of, by their place under ``suite/``.
        keys: of the stages.
        datasets: names of the files in which the store keeps what is known of its data.
    """

    name: str
    files: Mapping[str, Path]
    keys: Sequence[str]
    datasets: Collection[str] = ()


def write_archive(study: Study, store: Store, output: Path, *, readme: str) -> int:
    """Write a gzipped tar file, whole or not at all; the same study gives the same bytes.

    Args:
        study: what goes in; stages that are not finished are left out.
        store: where the stages are.
        output: the file.
        readme: text of ``README.md`` in it.

    Names of machines and places of files on this one are left out of the records.

    Returns:
        How many stages are in it.

    Raises:
        UserError: the file cannot be written.
        StoreError: a stage, or what is known of a data set, is not what was written.
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
            for name in sorted(study.datasets):
                with suppress(FileNotFoundError):
                    _add(tar, f"store/datasets/{name}", _description(store, name).encode())
            for record in records:
                _add_stage(tar, record, store)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(output)
    except OSError as error:
        raise UserError(f"-o {output}: this cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return len(records)


def _description(store: Store, name: str) -> str:
    """Return what is known of a data set, as a text.

    Raises:
        FileNotFoundError: nothing is.
        StoreError: it is not what was written.
    """
    file = store.path / "datasets" / name
    try:
        return description_text(name, read_description(file))
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or error
        raise StoreError(f"{file}: this is not what was written ({what}); run the suite where its data are") from error


def _add_stage(tar: tarfile.TarFile, record: Record, store: Store) -> None:
    place = f"store/done/{record.key[:2]}/{record.key}"
    _add(tar, f"{place}/record.json", for_strangers(record).to_json().encode())
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
        StoreError: the file is no archive of a study, or there is no room to unpack it.
    """
    with tempfile.TemporaryDirectory(prefix="medssl-bench-") as folder:
        store = Store(Path(folder) / "store")
        store.prepare()
        try:
            records, room = _unpack_texts(file, store)
            if room > (free := shutil.disk_usage(folder).free):
                raise StoreError(f"{file}: it needs {room:,} bytes, {folder} has {free:,}; give another TMPDIR")
            _unpack_files(file, store, records)
        except OSError as error:
            raise StoreError(f"{folder}: {file} cannot be unpacked: {error.strerror or error}") from error
        yield store


def _unpack_texts(file: Path, store: Store) -> tuple[dict[str, Record], int]:
    """Unpack the records and what is known of data sets; return the records, and the room that their files take.

    A record that is not what was written is unpacked too: the merge tells of it.
    """
    records: dict[str, Record] = {}
    room = 0
    with members_of(file) as members:
        for member in members:
            if _FILE.fullmatch(member.name):
                room += member.size
            match = _RECORD.fullmatch(member.name)
            if not match and not _DATASET.fullmatch(member.name):
                continue
            if member.size > LARGEST_TEXT:
                raise StoreError(f"{file}: {member.name!r} is too large to be what it should be")
            content = b"".join(member.pieces())
            if match:
                with suppress(ValueError):
                    records[match[2]] = Record.from_json(content.decode())
            target = store.path / member.name.removeprefix("store/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    return records, room


def _unpack_files(file: Path, store: Store, records: Mapping[str, Record]) -> None:
    with members_of(file) as members:
        for member in members:
            match = _FILE.fullmatch(member.name)
            about = records[match[2]].files.get(match[3]) if match and match[2] in records else None
            if match is None or about is None or member.size != about["bytes"]:
                continue  # of no stage, or not what its record says: the stage is then seen to be damaged
            with (store.folder(match[2]) / match[3]).open("wb") as writing:
                for piece in member.pieces():
                    writing.write(piece)
