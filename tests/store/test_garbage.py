"""Cleaning up: what nobody needs goes, and nothing that a run under way needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from filled import KEYS, filled
from leased import leased

from medssl_bench.errors import StoreError
from medssl_bench.store.audit import audit
from medssl_bench.store.contents import contents
from medssl_bench.store.garbage import delete, find_garbage
from medssl_bench.store.presence import forget, needed_by_runs, present, runs_elsewhere
from medssl_bench.store.process import Process
from medssl_bench.store.record import Record
from medssl_bench.store.store import Store

A, B, C, D = KEYS

_RUN = """
import sys, time
from pathlib import Path
from medssl_bench.store.presence import present

with present(Path(sys.argv[1]), sys.argv[2:]):
    print("here", flush=True)
    time.sleep(60)
"""


def test_without_a_suite_only_damaged_results_go(tmp_path: Path) -> None:
    store = filled(tmp_path / "store", A, B)
    (store.folder(A) / "weights").unlink()
    store.set_aside(A)
    (item,) = find_garbage(store, None)
    assert (item.kind, item.bytes > 0) == ("damaged", True)
    assert delete(item, store)
    assert not delete(item, store), "it is gone"
    assert find_garbage(store, None) == []
    assert store.is_done(B)


def test_what_is_not_needed_goes(tmp_path: Path) -> None:
    store = filled(tmp_path / "store", A, B)
    with leased(store, C) as lease:
        store.fail(Record(C, "evaluate", "title", "failed", {}, reason="no"), "", lease)
    unfinished = store.leases.acquire(D)
    assert unfinished is not None
    unfinished.release(keep=True)
    assert {item.kind for item in find_garbage(store, {A, B, C, D})} == set()
    found = find_garbage(store, {A})
    assert [(item.kind, item.folder.name) for item in found] == [("done", B), ("failed", C), ("unfinished", D)]
    assert all(delete(item, store) for item in found)
    assert store.is_done(A)
    assert not store.is_done(B)
    assert store.failure(C) is None
    assert store.leases.unfinished() == []
    assert list((store.path / "work").iterdir()) == []


def test_what_somebody_works_on_stays(tmp_path: Path) -> None:
    store = filled(tmp_path / "store")
    with leased(store, A):
        assert find_garbage(store, set()) == []


def test_what_a_run_of_many_stages_needs_can_be_read(tmp_path: Path) -> None:
    keys = {f"{number:064x}" for number in range(70_000)}
    with present(tmp_path, keys):
        assert needed_by_runs(tmp_path) == keys


def test_what_a_run_under_way_needs_stays_until_it_is_dead(tmp_path: Path) -> None:
    store = filled(tmp_path / "store", A, B)
    command = [sys.executable, "-c", _RUN, str(store.path), A]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "here\n"
        assert needed_by_runs(store.path) == {A}
        assert [item.folder.name for item in find_garbage(store, set())] == [B]
        run.kill()
    assert needed_by_runs(store.path) == set()
    assert len(find_garbage(store, set())) == 2
    assert list((store.path / "runs").iterdir()) == [], "what a dead run has left is cleared"


@pytest.mark.parametrize("days", [-40, 0, 40, 4000])
def test_a_run_is_alive_whatever_a_clock_says(days: int, tmp_path: Path) -> None:
    """A process of this machine is asked; one of another cannot be, so somebody has to say that it is gone."""
    store = filled(tmp_path / "store", A, B, C)
    with present(store.path, [B]):
        elsewhere = store.path / "runs" / "elsewhere-0123456789ab-1-5-0123456789ab.json"
        elsewhere.write_text(f'["{A}"]')
        then = time.time() - days * 24 * 3600
        for file in (store.path / "runs").iterdir():
            os.utime(file, (then, then))
        store.prepare()
        assert needed_by_runs(store.path) == {A, B}
        assert [item.folder.name for item in find_garbage(store, set())] == [C]
        assert [process.host for process in runs_elsewhere(store.path)] == ["elsewhere"]
        for others in ("somewhere", "else", Process.this().host):
            assert len(find_garbage(store, set(), [others])) == 1
        assert {item.folder.name for item in find_garbage(store, set(), ["else*"])} == {A, C}
        assert needed_by_runs(store.path) == {B}


@pytest.mark.parametrize("text", ["", "{", "7", "[[1]]"])
def test_nothing_is_deleted_where_nobody_knows_what_a_run_needs(text: str, tmp_path: Path) -> None:
    store = filled(tmp_path / "store", A)
    (store.path / "runs").mkdir()
    (store.path / "runs" / f"{Process.this()}-0123456789ab.json").write_text(text)
    with pytest.raises(StoreError, match="what this run needs cannot be read"):
        find_garbage(store, set())


def test_what_a_run_needs_that_began_since_is_not_deleted(tmp_path: Path) -> None:
    store = filled(tmp_path / "store", A)
    (item,) = find_garbage(store, set())
    with present(store.path, [A]):
        assert not delete(item, store)
    assert store.is_done(A)
    assert delete(item, store)


def test_what_kills_have_left_goes_by_gc_and_by_the_next_run(tmp_path: Path) -> None:
    """Parts of texts, trash, files of a stage that was being made, and full-size temporary files of checkpoints."""
    dead = _dead()
    alive = str(Process.this())
    store = filled(tmp_path / "store", A)

    def leave(process: str) -> set[Path]:
        trash = store.path / "work" / f".{process}-60-0123456789ab"
        owner = store.path / "work" / B / f"{process}-60-0123456789ab"
        found = {
            store.path / "runs" / f".{process}-0123456789ab.json.{process}-01234567.part",
            store.path / "datasets" / f".0123456789abcdef.json.{process}-01234567.part",
            store.path / f".store.json.{process}-01234567.part",
            trash / "weights",
            owner / "files" / "weights",
            owner / ".tmpAbCdEf",
            owner / f".checkpoint.txt.{process}-01234567.part",
        }
        for file in found:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(bytes(1000))
        (owner / "checkpoint.txt").write_text("kept")
        return found

    for clean in (lambda: [delete(item, store) for item in find_garbage(store, None)], store.prepare):
        files = leave(dead)
        listed = find_garbage(store, None)
        assert {item.kind for item in listed} == {"left over"}
        assert sum(item.bytes for item in listed) == 1000 * len(files)
        clean()
        assert [file for file in files if file.exists()] == []
        assert (store.path / "work" / B / f"{dead}-60-0123456789ab" / "checkpoint.txt").is_file()
        shutil.rmtree(store.path / "work" / B)

    files = leave(alive) | leave("elsewhere-0123456789ab-1-5")
    store.prepare()
    assert [file for file in files if not file.exists()] == [], "who is alive, or may be, goes on"


def _dead() -> str:
    """Return the name of a process of this machine that has ended."""
    code = "from medssl_bench.store.process import Process; print(Process.this())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_listing_goes_on_when_files_vanish_under_its_eyes(tmp_path: Path) -> None:
    """As beside a run: `store ls`, gc, verify and everything else that looks into a store."""
    store = filled(tmp_path / "store", A)
    stop = threading.Event()

    def churn() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            for folder in (store.folder(B), store.path / "damaged" / "x", store.path / "failed" / C):
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"file-{number}").write_bytes(b"x")
                shutil.rmtree(folder, ignore_errors=True)
                with suppress(OSError):
                    folder.parent.rmdir()
            lease = store.leases.acquire(D)
            assert lease is not None
            (lease.folder / "checkpoint-1.safetensors").write_bytes(b"x")
            lease.release(keep=False)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        end = time.monotonic() + 3
        other = Store(store.path)
        while time.monotonic() < end:
            assert A in {row.key for row in contents(other)}
            find_garbage(other, {A})
            assert None in list(audit(other))
            assert other.find(A) == A
            assert [record.key for record in other.records()] == [A]
            needed_by_runs(other.path)
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("name", [".DS_Store", "._x", "Thumbs.db", "notes.txt", "a folder"])
def test_what_a_file_manager_leaves_costs_nothing(name: str, tmp_path: Path) -> None:
    store = filled(tmp_path / "store", A)

    def leave(folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).mkdir() if name == "a folder" else (folder / name).write_text("x")

    leave(store.path / "work" / B)
    leave(store.path / "work")
    began = time.monotonic()
    store.prepare()
    assert not store.leases.is_held(B)
    lease = store.leases.acquire(B)
    assert lease is not None
    leave(store.path / "work" / B)
    assert store.leases.owner(B) == lease.folder.name
    lease.release(keep=True)
    lease = store.leases.acquire(B)
    assert lease is not None
    lease.release(keep=False)
    assert time.monotonic() - began < 10
    assert not (store.path / "work" / B).exists()
    if name in {".DS_Store", "._x", "Thumbs.db"}:
        for folder in (store.path / "done", store.folder(A).parent, store.folder(A), store.path / "failed"):
            leave(folder)
        assert list(audit(store)) == [None]
        assert [row.status for row in contents(store)] == ["done"]
        assert find_garbage(store, {A}) == []


def test_a_run_that_has_ended_needs_nothing(tmp_path: Path) -> None:
    with present(tmp_path, [A]):
        assert needed_by_runs(tmp_path) == {A}
    assert needed_by_runs(tmp_path) == set()


def test_what_a_job_of_a_cluster_needs_stays_until_it_has_ended(tmp_path: Path) -> None:
    """It may be queued while no process of the run is alive."""
    store = filled(tmp_path / "store", A, B)
    notes = store.path / "jobs" / "0123456789abcdef"
    notes.mkdir(parents=True)
    (notes / "needs.json").write_text(f'["{A}"]')
    (notes / "log").write_text("what it said")
    assert [item.folder.name for item in find_garbage(store, set())] == [B]
    (notes / "needs.json").unlink()
    assert [item.kind for item in find_garbage(store, set())] == ["done", "done"], "it is just being submitted"
    (notes / "ended").touch()
    found = find_garbage(store, None)
    assert [(item.kind, item.title) for item in found] == [("job", "0123456789abcdef")]
    assert delete(found[0], store)
    assert not notes.exists()


def test_a_process_that_has_ended_elsewhere_needs_nothing(tmp_path: Path) -> None:
    store = filled(tmp_path / "store", A)
    with present(store.path, [A]):
        forget(store.path, "another-machine-1-1")
        assert needed_by_runs(store.path) == {A}
        forget(store.path, str(Process.this()))
        assert needed_by_runs(store.path) == set()
