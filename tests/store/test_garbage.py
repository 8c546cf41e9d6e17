"""Cleaning up: what nobody needs goes, and nothing that a run under way needs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from filled import KEYS, filled
from leased import leased

from medssl_bench.store.garbage import delete, find_garbage
from medssl_bench.store.presence import needed_by_runs, present
from medssl_bench.store.record import Record

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


def test_a_run_of_another_machine_counts_for_a_month(tmp_path: Path) -> None:
    store = filled(tmp_path / "store", A)
    (store.path / "runs").mkdir()
    file = store.path / "runs" / "elsewhere-0123456789ab-1-5-0123456789ab.json"
    file.write_text(f'["{A}"]')
    assert needed_by_runs(store.path) == {A}
    then = time.time() - 32 * 24 * 3600
    os.utime(file, (then, then))
    assert needed_by_runs(store.path) == set()


def test_a_run_that_has_ended_needs_nothing(tmp_path: Path) -> None:
    with present(tmp_path, [A]):
        assert needed_by_runs(tmp_path) == {A}
    assert needed_by_runs(tmp_path) == set()
