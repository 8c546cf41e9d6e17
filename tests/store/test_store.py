"""A directory of finished stages: whole or not at all, whoever else writes, and never misread."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from leased import leased

from medssl_bench.errors import StoreError
from medssl_bench.store.atomic import write_atomically
from medssl_bench.store.record import Record
from medssl_bench.store.store import LAYOUT, Store

KEY = "ab" + "0" * 62
OTHER = "ab" + "1" * 62


def _record(key: str = KEY, **values: Any) -> Record:
    return Record(key, "evaluate", "table · set · arm", "done", {"seed": 0}, **values)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    made.prepare()
    return made


def _finish(store: Store, key: str = KEY, **files: str) -> Record:
    with leased(store, key) as lease:
        for name, content in files.items():
            (lease.files / name).write_text(content)
        return store.finish(_record(key), lease)


def _fail(store: Store, reason: str, traceback: str = "") -> Record:
    failed = replace(_record(), status="failed", reason=reason)
    with leased(store, KEY) as lease:
        store.fail(failed, traceback, lease)
    return failed


def _entries(store: Store) -> set[str]:
    return {path.relative_to(store.path).as_posix() for path in store.path.rglob("*") if path.is_file()}


def test_a_finished_stage(store: Store) -> None:
    written = _finish(store, weights="abc", history="[]")
    folder = store.folder(KEY)
    assert folder == store.path / "done" / "ab" / KEY
    assert store.is_done(KEY)
    assert (folder / "weights").read_text() == "abc"
    assert written.files == {
        "weights": {"bytes": 3, "sha256": hashlib.sha256(b"abc").hexdigest()},
        "history": {"bytes": 2, "sha256": hashlib.sha256(b"[]").hexdigest()},
    }
    assert store.record(KEY) == written
    assert list(store.records()) == [written]
    assert _entries(store) == {"store.json", *(f"done/ab/{KEY}/{n}" for n in ("record.json", "weights", "history"))}
    assert list((store.path / "work").iterdir()) == []


def test_an_unfinished_one(store: Store) -> None:
    assert not store.is_done(KEY)
    assert store.record(KEY) is None
    assert store.failure(KEY) is None
    assert list(store.records()) == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_of_a_stage_that_raises(error: type[BaseException], store: Store) -> None:
    def work() -> None:
        with leased(store, KEY) as lease:
            (lease.files / "half").write_text("x")
            raise error

    with pytest.raises(error):
        work()
    assert not store.is_done(KEY)
    assert _entries(store) == {"store.json"}
    assert list((store.path / "work").iterdir()) == []


def test_nothing_is_left_when_finishing_fails(store: Store) -> None:
    def work() -> None:
        with leased(store, KEY) as lease:
            (lease.files / "weights").write_text("x")
            store.finish(_record(metrics={"loss": float("nan")}), lease)

    with pytest.raises(ValueError, match="not JSON compliant"):
        work()
    assert not store.is_done(KEY)
    assert _entries(store) == {"store.json"}


def test_the_second_to_finish_a_stage_leaves_the_first_result(store: Store) -> None:
    """As when a merge brings a result that is being computed."""
    with leased(store, KEY) as lease:
        (lease.files / "who").write_text("second")
        store.folder(KEY).mkdir(parents=True)
        (store.folder(KEY) / "record.json").write_text(_record().to_json())
        store.finish(_record(), lease)
    assert [file.name for file in store.folder(KEY).iterdir()] == ["record.json"]
    assert list((store.path / "work").iterdir()) == []


def _work(path: Path, start: Any, number: int) -> None:
    store = Store(path)
    start.wait()
    store.prepare()
    for index in range(20):
        key = f"{index:064x}"
        while not store.is_done(key):
            lease = store.leases.acquire(key)
            if lease is None:
                continue
            if not store.is_done(key):
                (lease.files / "who").write_text(str(number))
                (lease.files / "what").write_text("x" * 10_000)
                store.finish(_record(key), lease)
            lease.release(keep=False)


def test_workers_that_do_the_same_work_at_the_same_time(tmp_path: Path) -> None:
    """Three processes make the store and finish the same stages: every stage is whole and of one worker."""
    context = multiprocessing.get_context("spawn")
    start = context.Event()
    workers = [context.Process(target=_work, args=(tmp_path / "store", start, number)) for number in range(3)]
    for worker in workers:
        worker.start()
    start.set()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    store = Store(tmp_path / "store")
    records = list(store.records())
    assert len(records) == 20
    assert list((store.path / "work").iterdir()) == []
    for record in records:
        for name, about in record.files.items():
            content = (store.folder(record.key) / name).read_bytes()
            assert about == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_a_reader_sees_stages_whole_while_they_are_written(store: Store) -> None:
    stop = threading.Event()
    problems: list[str] = []

    def read() -> None:
        while not stop.is_set():
            problems.extend(record.key for record in store.records() if len(record.files) != 2)

    reader = threading.Thread(target=read)
    reader.start()
    for index in range(50):
        _finish(store, f"{index:064x}", a="1", b="2")
    stop.set()
    reader.join()
    assert problems == []


def test_a_failure_is_kept_until_the_stage_is_finished(store: Store) -> None:
    failed = _fail(store, "out of memory", "Traceback ...\n")
    assert (store.path / "failed" / KEY / "traceback.txt").read_text() == "Traceback ...\n"
    assert store.failure(KEY) == failed
    assert not store.is_done(KEY)
    assert list(store.records()) == []
    assert _fail(store, "again", "Traceback 2\n") == replace(failed, reason="again")
    assert store.failure(KEY) == replace(failed, reason="again")
    store.forget_failure(KEY)
    assert store.failure(KEY) is None
    _fail(store, "again")
    _finish(store)
    assert store.failure(KEY) is None
    assert not (store.path / "failed" / KEY).exists()


def test_a_failure_is_kept_though_somebody_has_deleted_the_folder_of_failures(store: Store) -> None:
    """During a run, say: the stage would be tried for ever."""
    (store.path / "failed").rmdir()
    failed = _fail(store, "again")
    assert store.failure(KEY) == failed


def test_a_failure_beside_a_finished_stage_does_not_count(store: Store) -> None:
    _finish(store)
    _fail(store, "a slower worker")
    assert store.failure(KEY) is None


def test_finding_by_the_beginning_of_a_key(store: Store) -> None:
    _finish(store)
    assert store.find("") == store.find("ab0") == store.find(KEY) == KEY
    _finish(store, OTHER)
    assert store.find("ab1") == OTHER
    for beginning, found in (
        ("ab", "2 finished stages"),
        ("cd", "no finished stage"),
        (f"{KEY}0", "no finished stage"),
    ):
        with pytest.raises(StoreError, match=f"{found} with a key that begins with '{beginning}'"):
            store.find(beginning)


def test_opening_makes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert list(store.records()) == []
    assert not store.is_done(KEY)
    assert not (tmp_path / "store").exists()
    (tmp_path / "empty").mkdir()
    Store(tmp_path / "empty").prepare()
    Store(tmp_path / "empty")


@pytest.mark.parametrize("name", [".store.json.123.part", ".DS_Store", "Thumbs.db"])
def test_a_folder_with_what_says_nothing_becomes_a_store(name: str, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / name).touch()
    Store(tmp_path / "store").prepare()
    assert json.loads((tmp_path / "store" / "store.json").read_text()) == {"layout": LAYOUT}


def test_what_is_no_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").write_text("x")
    for name in ("file", "folder"):
        with pytest.raises(
            StoreError, match=f"{name}: there is something else here, not a store; give another --store"
        ):
            Store(tmp_path / name)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("marker", ["", "{", "[]", "{}", "3", '"layout"', "null", "\xff"])
def test_a_marker_that_is_none(marker: str, tmp_path: Path) -> None:
    (tmp_path / "store.json").write_bytes(marker.encode("latin-1"))
    with pytest.raises(StoreError, match=r"store.json: this is not the marker of a store"):
        Store(tmp_path)


def test_a_store_of_the_layout_before_is_read_and_migrated(store: Store) -> None:
    written = _finish(store)
    (store.path / "store.json").write_text(json.dumps({"layout": LAYOUT - 1}))
    older = Store(store.path)
    assert older.record(KEY) == written
    assert json.loads((store.path / "store.json").read_text()) == {"layout": LAYOUT - 1}, "reading changes nothing"
    older.prepare()
    assert json.loads((store.path / "store.json").read_text()) == {"layout": LAYOUT}
    assert older.record(KEY) == written


@pytest.mark.parametrize("layout", [0, LAYOUT + 1, "1", None])
def test_a_store_of_another_layout(layout: Any, tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text(json.dumps({"layout": layout}))
    with pytest.raises(StoreError, match=f"a store of layout {layout}; this version reads layouts 1 to {LAYOUT}"):
        Store(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"key": "x"}', '{"no": "record"}', "null", "[" * 100_000])
def test_a_broken_record_is_damage(text: str, store: Store) -> None:
    _finish(store)
    (store.folder(KEY) / "record.json").write_text(text)
    assert store.record(KEY) is None
    assert list(store.records()) == []
    assert store.damage(KEY) == "record.json is missing, or not what was written"
    _finish(store, weights="new")
    assert store.is_done(KEY)


def test_a_record_of_another_stage_is_damage(store: Store) -> None:
    _finish(store)
    _finish(store, OTHER)
    shutil.copy(store.folder(OTHER) / "record.json", store.folder(KEY) / "record.json")
    assert not store.is_done(KEY)
    assert store.damage(KEY) == "its record is that of another stage"
    assert [record.key for record in store.records()] == [OTHER]


def test_every_flipped_byte_of_a_result_is_noticed(store: Store) -> None:
    _finish(store, weights="abcdefgh", history="[1, 2]")
    for name in ("record.json", "weights", "history"):
        file = store.folder(KEY) / name
        whole = file.read_bytes()
        for place in range(len(whole)):
            for bit in (1, 0x20):
                file.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
                if name == "record.json":
                    assert not Store(store.path).is_done(KEY)
                else:
                    assert _content_is_refused(Store(store.path), name), "another content is noticed when it is read"
        file.write_bytes(whole)
    assert store.is_done(KEY)


def _content_is_refused(store: Store, name: str) -> bool:
    """Return whether a file is refused; the stage is put back into its place."""
    try:
        store.checked(KEY, name)
    except StoreError:
        (aside,) = (store.path / "damaged").iterdir()
        aside.rename(store.folder(KEY))
        return True
    return False


def test_records_of_versions_without_a_digest_are_read(store: Store) -> None:
    written = _finish(store)
    data = json.loads((store.folder(KEY) / "record.json").read_text())
    del data["digest"]
    (store.folder(KEY) / "record.json").write_text(json.dumps(data, indent=1))
    assert store.record(KEY) == written


@pytest.mark.parametrize(
    "changed",
    [
        {"files": "x"}, {"files": {"../w": {"bytes": 1, "sha256": "x"}}}, {"files": {"w": 3}}, {"metrics": [1]},
        {"cost": 3}, {"epochs_scale": "x"}, {"epochs_scale": True}, {"status": "well"}, {"title": 3},
        {"spec": None}, {"cost": {"wall_seconds": "x"}}, {"cost": {"energy_joules": []}},
        {"provenance": {"versions": "x"}}, {"provenance": {"versions": []}}, {"provenance": {"plugins": None}},
        {"provenance": {"plugins": {"own": 5}}}, {"provenance": {"git": "x"}}, {"provenance": {"git": {"commit": 5}}},
    ],
)  # fmt: skip
def test_what_is_no_record(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a record: "):
        Record.from_json(json.dumps({**asdict(_record()), **changed}))


def test_a_place_where_no_folder_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="this cannot be a store: Not a directory; give another --store"):
        Store(tmp_path / "file" / "store").prepare()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e300, 1e300) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=3)


@given(st.builds(
    Record, key=st.text(), kind=st.text(), title=st.text(), status=st.sampled_from(["done", "failed"]),
    identity=OBJECTS, metrics=OBJECTS, cost=OBJECTS, provenance=OBJECTS, epochs_scale=st.floats(0, 1),
    reason=st.text(), spec=OBJECTS,
))  # fmt: skip
def test_records_go_through_json(record: Record) -> None:
    text = record.to_json()
    assert Record.from_json(text) == record
    data = json.loads(text)
    assert len(data.pop("digest")) == 64
    assert data == asdict(record)
    assert text.endswith("}\n")


def test_texts_are_replaced_in_one_step(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_atomically(file, "old")
    write_atomically(file, "nëw")
    assert file.read_text("utf-8") == "nëw"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_stage_whose_files_are_not_all_there_is_not_finished(store: Store) -> None:
    _finish(store, weights="abc")
    assert (store.is_done(KEY), store.damage(KEY)) == (True, "")
    (store.folder(KEY) / "weights").write_text("ab")
    assert (store.is_done(KEY), store.damage(KEY)) == (False, "weights has 2 bytes, not 3")
    assert store.record(KEY) is None
    (store.folder(KEY) / "weights").unlink()
    assert (store.is_done(KEY), store.damage(KEY)) == (False, "weights is missing")
    with pytest.raises(StoreError, match="is not there, or is damaged; run again to compute it again"):
        store.checked(KEY, "weights")
    assert store.damage(OTHER) == "", "nothing is wrong with what is not there"


def test_a_damaged_stage_makes_way_for_a_new_one(store: Store) -> None:
    _finish(store, weights="abc")
    (store.folder(KEY) / "weights").write_text("ab")
    _finish(store, weights="new")
    assert (store.folder(KEY) / "weights").read_text() == "new"
    (aside,) = (store.path / "damaged").iterdir()
    assert aside.name.startswith(KEY)
    assert (aside / "weights").read_text() == "ab"
    assert store.is_done(KEY)


def test_another_content_of_the_same_size_is_found_when_it_is_read(store: Store) -> None:
    written = _finish(store, weights="abc", history="[]")
    assert store.checked(KEY, "weights").read_text() == "abc"
    with pytest.raises(StoreError, match="weight: there is no such file"):
        store.checked(KEY, "weight")
    (store.folder(KEY) / "weights").write_text("abd")
    os.utime(store.folder(KEY) / "weights", ns=(1, 1))  # whatever the clock's steps
    assert store.is_done(KEY), "looking does not read"
    assert store.checked(KEY, "history").read_text() == "[]"
    with pytest.raises(StoreError, match="arm: the SHA-256 of weights is not that of its record; it is set aside in"):
        store.checked(KEY, "weights")
    assert not store.is_done(KEY)
    (aside,) = (store.path / "damaged").iterdir()
    assert Record.from_json((aside / "record.json").read_text()) == written


def test_a_stage_that_has_lost_its_record_makes_way_for_a_new_one(store: Store) -> None:
    _finish(store, weights="ab")
    (store.folder(KEY) / "record.json").unlink()
    assert (store.is_done(KEY), store.damage(KEY)) == (False, "record.json is missing, or not what was written")
    written = _finish(store, weights="abc")
    assert store.record(KEY) == written
    (aside,) = (store.path / "damaged").iterdir()
    assert (aside / "weights").read_text() == "ab"


def test_setting_aside_what_is_gone_already(store: Store) -> None:
    assert store.set_aside(KEY) is None


def test_the_lease_of_a_finished_stage_is_cleared_but_not_that_of_one_that_lives(store: Store) -> None:
    """A run can be killed after its result is in place and before it has given up its lease."""
    _finish(store)
    lease = store.leases.acquire(KEY)
    assert lease is not None
    store.prepare()
    assert store.leases.is_held(KEY)
    lease._ended.set()
    lease.folder.rename(lease.folder.with_name("free"))
    unfinished = store.leases.acquire(OTHER)
    assert unfinished is not None
    unfinished.release(keep=True)
    store.prepare()
    assert store.leases.unfinished() == [OTHER], "what is not finished stays"
