"""Stores and archives of strangers: nothing of the reader's machine is copied, nothing hangs, nothing grows."""

from __future__ import annotations

import gzip
import io
import json
import os
import resource
import struct
import tarfile
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filled import KEYS, files, filled

from medssl_bench.errors import StoreError
from medssl_bench.store.archive import Study, opened_archive, write_archive
from medssl_bench.store.audit import audit
from medssl_bench.store.contents import contents
from medssl_bench.store.copying import Merged, merge
from medssl_bench.store.descriptions import Description, descriptions, write_description
from medssl_bench.store.garbage import find_garbage
from medssl_bench.store.reading import parse_json
from medssl_bench.store.record import Record
from medssl_bench.store.signed import signed
from medssl_bench.store.store import Store

A, B, C, D = KEYS
DATA = "0" * 32


@pytest.fixture
def theirs(tmp_path: Path) -> Store:
    """Return the store of a stranger: stages A and B, and a data set."""
    store = filled(tmp_path / "theirs", A, B)
    write_description(store.path, DATA, Description("content", {"licence": "CC0"}))
    return store


@pytest.fixture
def ours(tmp_path: Path) -> Store:
    """Return the reader's store."""
    return filled(tmp_path / "ours", C)


def _link(file: Path) -> None:
    secret = next(path for path in file.parents if path.name == "theirs").with_name(f"secret-{file.name}")
    secret.write_bytes(file.read_bytes() if file.exists() else b"secret")
    file.unlink(missing_ok=True)
    file.symlink_to(secret)


def _pipe(file: Path) -> None:
    file.unlink(missing_ok=True)
    os.mkfifo(file)


def _device(file: Path) -> None:
    file.unlink(missing_ok=True)
    file.symlink_to("/dev/zero")


def _folder(file: Path) -> None:
    file.unlink(missing_ok=True)
    file.mkdir()


def _large(file: Path) -> None:
    os.truncate(file, 2**40)  # takes no room


ODD = [_link, _pipe, _device, _folder, _large]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["weights", "history.json", "record.json", "datasets"])
def test_what_is_no_plain_file_is_not_read(
    odd: Callable[[Path], None], name: str, theirs: Store, ours: Store, tmp_path: Path
) -> None:
    file = theirs.path / "datasets" / f"{DATA}.json" if name == "datasets" else theirs.folder(A) / name
    odd(file)
    found = merge(theirs, ours)
    lines = found.descriptions if name == "datasets" else found.refused
    assert len(lines) == 1
    assert name in lines[0]
    assert "\n" not in lines[0]
    assert ours.is_done(B)
    assert ours.is_done(A) == (name == "datasets")
    assert bool(list(descriptions(ours.path))) == (name != "datasets")
    # everything else that looks at a store, too
    statuses = {row.key: row.status for row in contents(theirs)}
    assert statuses[A] == ("done" if name == "datasets" else "damaged")
    assert sum(finding is not None for finding in audit(theirs)) == (name != "datasets")
    assert [isinstance(read, str) for _, read in descriptions(theirs.path)] == [name == "datasets"]
    assert find_garbage(theirs, set())
    study = Study("mine", {}, [A, B], [f"{DATA}.json"])
    if name == "datasets":
        with pytest.raises(StoreError):
            write_archive(study, theirs, tmp_path / "study.tar.gz", readme="")
    else:
        assert write_archive(study, theirs, tmp_path / "study.tar.gz", readme="") == 1


@pytest.mark.parametrize("name", ["work", "runs"])
def test_a_pipe_where_a_run_says_that_it_is_alive_hangs_nobody(name: str, theirs: Store) -> None:
    if name == "work":
        place = theirs.path / "work" / D / "host-000000000000-1-0-60-abcdefabcdef"
        place.mkdir(parents=True)
        for file in ("beat", "deaths", "checkpoint.txt"):
            os.mkfifo(place / file)
    else:
        (theirs.path / "runs").mkdir()
        os.mkfifo(theirs.path / "runs" / "host-000000000000-1-0-abcdefabcdef.json")
    assert contents(theirs)
    if name == "work":
        assert find_garbage(theirs, set())
    else:
        with pytest.raises(StoreError, match="what this run needs cannot be read"):
            find_garbage(theirs, set())
    theirs.prepare()


NESTED = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    "value", ["NaN", "-Infinity", "1e999", r'"\ud800"', "[" * 65 + "]" * 65, NESTED, "1" * 5000, '{"x": NaN}', "{", ""]
)
def test_json_that_could_not_be_written_again_is_refused(value: str, theirs: Store, ours: Store) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(value)
    plain = signed({**vars(_record(theirs, A)), "metrics": {"accuracy": "HERE"}})
    text = plain[plain.index(",") + 1 :].replace('"HERE"', value)
    (theirs.folder(A) / "record.json").write_text("{" + text)
    (theirs.path / "datasets" / f"{DATA}.json").write_text(f'{{"fingerprint": "x", "info": {{"x": {value}}}}}')
    found = merge(theirs, ours)
    assert [line.split(":")[0] for line in found.refused] == [A[:12]]
    assert len(found.descriptions) == 1
    assert {row.key: row.status for row in contents(theirs)}[A] == "damaged"


def test_sound_json_is_read_as_ever() -> None:
    for value in ({"a": [1, 2.5, None, True, "\N{GRINNING FACE}"]}, [[]] * 9):
        assert parse_json(json.dumps(value)) == value


def _record(store: Store, key: str) -> Record:
    record = store.record(key)
    assert record is not None
    return record


def test_every_flipped_bit_of_a_record_is_told(theirs: Store, ours: Store) -> None:
    file = theirs.folder(A) / "record.json"
    whole = file.read_bytes()
    for place in range(0, len(whole), 7):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        found = merge(theirs, ours)
        assert (len(found.refused), A[:12] in found.refused[0]) == (1, True), place
        assert not ours.is_done(A)


def test_a_key_that_is_not_the_hash_of_its_identity(theirs: Store, ours: Store) -> None:
    """A result of one training under the key of another: as a stranger would forge it."""
    forged = replace(_record(theirs, A), identity={"number": 99})
    (theirs.folder(A) / "record.json").write_text(forged.to_json())
    assert merge(theirs, ours).refused == [f"{A[:12]}: its key is not the hash of its identity"]
    (finding,) = [found for found in audit(theirs) if found]
    assert (finding.key, finding.what) == (A, "its key is not the hash of its identity")


def test_a_link_in_the_place_of_a_stage(theirs: Store, ours: Store, tmp_path: Path) -> None:
    theirs.folder(A).rename(tmp_path / "elsewhere")
    theirs.folder(A).symlink_to(tmp_path / "elsewhere")
    assert merge(theirs, ours).refused == [f"{A[:12]}: it is not where a stage of this key belongs"]


def test_what_there_is_no_room_for_is_not_begun(theirs: Store, ours: Store) -> None:
    """A file of zeros that takes no room where it comes from, declared truly."""
    os.truncate(theirs.folder(A) / "weights", 2**43)
    about = {**_read(theirs, A).files, "weights": {"bytes": 2**43, "sha256": "0" * 64}}
    (theirs.folder(A) / "record.json").write_text(replace(_read(theirs, A), files=about).to_json())
    (line,) = merge(theirs, ours).refused
    assert "its files have 8,796,093,022,210 bytes" in line
    assert "and there is room for" in line


def _read(store: Store, key: str) -> Record:
    return Record.from_json((store.folder(key) / "record.json").read_text())


# archives


def _study(path: Path, theirs: Store) -> Path:
    write_archive(Study("mine", {}, [A, B], [f"{DATA}.json"]), theirs, path, readme="x")
    return path


def _taken(file: Path, ours: Store) -> Merged:
    with opened_archive(file) as inside:
        return merge(inside, ours)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_an_archive_that_was_unpacked_and_packed_anew(form: int, theirs: Store, ours: Store, tmp_path: Path) -> None:
    long = "a" * 120 + ".npz"
    record = _record(theirs, B)
    (theirs.folder(B) / "weights").rename(theirs.folder(B) / long)
    about = {long: record.files["weights"], "history.json": record.files["history.json"]}
    (theirs.folder(B) / "record.json").write_text(replace(record, files=about).to_json())
    with tarfile.open(_study(tmp_path / "study.tar.gz", theirs)) as tar:
        tar.extractall(tmp_path / "out", filter="data")
    if form == tarfile.USTAR_FORMAT:  # has no room for such a name
        (tmp_path / "out" / "store" / "done" / B[:2] / B / long).unlink()
    with tarfile.open(tmp_path / "again.tar.gz", "w:gz", format=form) as tar:
        for name in ("store", "README.md"):
            tar.add(tmp_path / "out" / name, name)
    found = _taken(tmp_path / "again.tar.gz", ours)
    assert len(found.taken) == (1 if form == tarfile.USTAR_FORMAT else 2)
    assert len(list(descriptions(ours.path))) == 1


def test_a_damaged_record_in_an_archive_is_told_and_the_rest_taken(theirs: Store, ours: Store, tmp_path: Path) -> None:
    with tarfile.open(_study(tmp_path / "study.tar.gz", theirs)) as tar:
        tar.extractall(tmp_path / "out", filter="data")
    file = tmp_path / "out" / "store" / "done" / A[:2] / A / "record.json"
    file.write_text(file.read_text().replace('"done"', '"dane"'))
    with tarfile.open(tmp_path / "again.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "out" / "store", "store")
    found = _taken(tmp_path / "again.tar.gz", ours)
    assert found.refused == [f"{A[:12]}: record.json is not what was written (its digest is another)"]
    assert found.taken == [f"stage {B[:2]}"]


def _sparse_member(name: str, size: int) -> bytes:
    """Return a header that claims a file of this size and stores nothing, as GNU tar has it for a file of holes."""
    header = bytearray(tarfile.TarInfo(name).tobuf(tarfile.GNU_FORMAT))
    header[156:157] = b"S"
    header[483:495] = b"\x80" + size.to_bytes(11, "big")
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    return bytes(header)


def _pax(records: bytes) -> bytes:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, len(records)
    return header.tobuf(tarfile.USTAR_FORMAT) + records + bytes(-len(records) % 512)


def _zeros(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    return member.tobuf(tarfile.USTAR_FORMAT)


PLACE = f"store/done/{A[:2]}/{A}"
BOMBS: dict[str, Callable[[], tuple[bytes, int]]] = {
    "sparse": lambda: (_sparse_member(f"{PLACE}/weights", 2**40), 0),
    "sparse, by a pax header": lambda: (_pax(b"22 GNU.sparse.major=1\n" + b"29 GNU.sparse.realsize=99999\n"), 0),
    "zeros of a stage": lambda: (_zeros(f"{PLACE}/weights", 2**32), 300 * 2**20),
    "zeros of nothing": lambda: (_zeros("README.md", 2**32), 300 * 2**20),
    "a large extended header": lambda: (_pax(b"x" * 100_000)[:512], 300 * 2**20),
    "extended headers without end": lambda: (_pax(b"11 path=ab\n") * 110_000, 0),
    "a header that names a header": lambda: (_pax(b"99999999 path=x\n"), 0),
    "a length of nothing": lambda: (_pax(b"0 path=x\n"), 0),
    "members without end": lambda: (_zeros("x", 0) * 110_000, 0),
    "a record without end": lambda: (_zeros(f"{PLACE}/record.json", 2**32), 2**28),
    "no checksum": lambda: (_zeros(f"{PLACE}/record.json", 1).replace(b"ustar", b"usTar"), 512),
    "a negative size": lambda: (_zeros("x", 0).replace(b"00000000000", b"-0000000001"), 0),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_an_archive_that_is_a_bomb(bomb: str, ours: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head, zeros = BOMBS[bomb]()
    with gzip.open(tmp_path / "study.tar.gz", "wb", 1) as file:
        file.write(head)
        for _ in range(zeros // 2**20):
            file.write(bytes(2**20))
        if zeros < 2**20:
            file.write(bytes(zeros + 1024))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    largest = (2**27, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, largest)
    if zeros:  # it would slow the others down
        tracemalloc.start()
    try:
        with pytest.raises(StoreError, match=r"study.tar.gz: "):
            _taken(tmp_path / "study.tar.gz", ours)
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert {path.name for path in tmp_path.iterdir()} == {"study.tar.gz", "ours"}, "nothing is left"


def test_an_archive_that_needs_more_room_than_there_is(
    theirs: Store, ours: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _study(tmp_path / "study.tar.gz", theirs)
    monkeypatch.setattr("shutil.disk_usage", lambda _: os.terminal_size((0, 0)) and _Room())
    with pytest.raises(StoreError, match=r"study.tar.gz: it needs .* bytes, .* has 10; give another TMPDIR"):
        _taken(file, ours)


class _Room:
    free = 10


# what an archive tells of the machine that it was made on


def test_an_archive_names_no_machine_and_no_folder(theirs: Store, ours: Store, tmp_path: Path) -> None:
    record = _record(theirs, A)
    spec: dict[str, Any] = {
        "dataset": {"component": {"parameters": {"path": "/home/me/patients/cells.npz", "size": 28}}},
        "encoder": [{"weights_file": r"C:\Users\me\weights.pt"}, f"see {Path.home()}/notes", "a/b"],
    }
    made = {"host": "my-laptop", "device": "cpu: x", "versions": {"torch": "2"}}
    (theirs.folder(A) / "record.json").write_text(replace(record, spec=spec, provenance=made).to_json())
    file = _study(tmp_path / "study.tar.gz", theirs)
    content = gzip.decompress(file.read_bytes())
    for secret in ("my-laptop", "/home/me", "Users", str(Path.home())):
        assert secret.encode() not in content
    assert _taken(file, ours).taken == [f"stage {key[:2]}" for key in (A, B)]
    found = _record(ours, A)
    assert (found.key, found.identity, found.files, found.metrics) == (
        record.key, record.identity, record.files, record.metrics,
    )  # fmt: skip
    assert found.provenance == {**made, "host": None}
    assert found.spec["dataset"]["component"]["parameters"] == {"path": "cells.npz", "size": 28}
    assert found.spec["encoder"] == [{"weights_file": "weights.pt"}, "see ~/notes", "a/b"]
    assert files(theirs)[f"done/{A[:2]}/{A}/record.json"] != files(ours)[f"done/{A[:2]}/{A}/record.json"]
    again = _study(tmp_path / "again.tar.gz", ours)
    assert again.read_bytes() == file.read_bytes(), "what was merged is exported as it came"


def test_gzip_members_that_lie_about_their_end(tmp_path: Path, ours: Store, theirs: Store) -> None:
    whole = _study(tmp_path / "study.tar.gz", theirs).read_bytes()
    (tmp_path / "lie.tar.gz").write_bytes(whole[:-8] + struct.pack("<II", 1, 2))
    with pytest.raises(StoreError, match=r"lie.tar.gz: "):
        _taken(tmp_path / "lie.tar.gz", ours)
    assert io.BytesIO(whole).read(2) == b"\x1f\x8b"
