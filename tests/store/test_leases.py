"""Leases: one owner at a time, taken over from the dead and the silent, who are fenced off from then on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from medssl_bench.errors import LeaseLost
from medssl_bench.store.leases import Leases, owner_text
from medssl_bench.store.leftovers import clear_leftovers
from medssl_bench.store.process import Process
from medssl_bench.store.record import Record
from medssl_bench.store.store import Store

KEY = "ab" + "0" * 62

_WORKER = """
import sys, time
from pathlib import Path
from medssl_bench.store.leases import Leases

lease = Leases(Path(sys.argv[1])).acquire("ab" + "0" * 62, float(sys.argv[2]))
(lease.files / "weights").write_text("half")
(lease.folder / "checkpoint.json").write_text("where it is")
print(lease.folder.name, flush=True)
for line in sys.stdin:
    if line.strip() == "publish":
        try:
            lease.publish(lease.files, Path(sys.argv[1]).parent / "published")
            print("published", flush=True)
        except Exception as error:
            print(type(error).__name__, flush=True)
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def _worker(work: Path, seconds: float) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-c", _WORKER, str(work), str(seconds)]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    return worker, worker.stdout.readline().strip()


def test_one_owner_at_a_time(work: Path) -> None:
    leases = Leases(work)
    first = leases.acquire(KEY)
    assert first is not None
    assert leases.acquire(KEY) is None
    assert Leases(work).acquire(KEY) is None, "nor is it another's"
    assert leases.is_held(KEY)
    assert leases.unfinished() == [KEY]
    first.release(keep=False)
    assert list(work.iterdir()) == []
    assert not leases.is_held(KEY)
    second = leases.acquire(KEY)
    assert second is not None
    second.release(keep=False)


def test_what_is_kept_goes_to_the_next_owner_but_for_the_files(work: Path) -> None:
    leases = Leases(work)
    first = leases.acquire(KEY)
    assert first is not None
    (first.folder / "checkpoint.json").write_text("where it is")
    (first.files / "half").write_text("x")
    first.release(keep=True)
    assert not leases.is_held(KEY)
    assert leases.unfinished() == [KEY]
    second = leases.acquire(KEY)
    assert second is not None
    assert (second.folder / "checkpoint.json").read_text() == "where it is"
    assert list(second.files.iterdir()) == []
    assert second.deaths == 0, "the first gave it up by itself"
    second.release(keep=False)


def test_the_dead_are_noticed_at_once_and_counted(work: Path) -> None:
    worker, name = _worker(work, 60)
    leases = Leases(work)
    assert leases.acquire(KEY) is None
    assert leases.owner(KEY) == name
    assert owner_text(name) == f"process {worker.pid} on {Process.this().host}"
    with worker:
        worker.send_signal(signal.SIGKILL)
        time.sleep(0.2)
        assert worker.poll() is None or worker.returncode == -signal.SIGKILL
        lease = leases.acquire(KEY)  # it may not have been waited for yet: a zombie is dead
        assert lease is not None
    assert lease.deaths == 1
    assert (lease.folder / "checkpoint.json").read_text() == "where it is"
    assert list(lease.files.iterdir()) == []
    lease.got_further()
    lease.release(keep=True)
    again = leases.acquire(KEY)
    assert again is not None
    assert again.deaths == 0
    again.release(keep=False)


def test_who_is_stopped_is_taken_over_after_a_while_and_fenced_off(work: Path) -> None:
    worker, _ = _worker(work, 2.0)
    with worker:
        leases = Leases(work)
        began = time.monotonic()
        for _ in range(10):
            assert leases.acquire(KEY) is None, "it gives signs of life"
            time.sleep(0.1)
        worker.send_signal(signal.SIGSTOP)
        lease = None
        while lease is None:
            assert time.monotonic() - began < 30
            lease = leases.acquire(KEY)
            time.sleep(0.05)
        worker.send_signal(signal.SIGCONT)
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write("publish\n")
        worker.stdin.flush()
        assert worker.stdout.readline() == "LeaseLost\n"
        (lease.files / "weights").write_text("whole")
        lease.publish(lease.files, work.parent / "published")
        worker.stdin.close()
    assert (work.parent / "published" / "weights").read_text() == "whole"
    lease.release(keep=False)


def test_a_fenced_owner_writes_nothing_into_the_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.prepare()
    lost = store.leases.acquire(KEY)
    assert lost is not None
    (lost.files / "weights").write_text("late")
    lost.folder.rename(lost.folder.with_name("free"))  # as who takes over would do
    other = store.leases.acquire(KEY)
    assert other is not None
    record = Record(KEY, "evaluate", "title", "done", {})
    with pytest.raises(LeaseLost):
        store.finish(record, lost)
    with pytest.raises(LeaseLost):
        store.fail(record, "late", lost)
    with pytest.raises(LeaseLost):
        lost.beat()
    lost.release(keep=True)
    assert store.leases.owner(KEY) == other.folder.name, "what is lost cannot be given up"
    assert not store.is_done(KEY)
    assert store.failure(KEY) is None
    store.finish(record, other)
    other.release(keep=False)
    assert store.is_done(KEY)


def _named(work: Path, name: str) -> Path:
    folder = work / KEY / name
    folder.mkdir(parents=True)
    (folder / "beat").touch()
    return folder


def test_of_another_machine_only_silence_counts(work: Path) -> None:
    _named(work, "elsewhere-0123456789ab-1-5-0.3-0123456789ab")
    leases = Leases(work)
    assert leases.acquire(KEY) is None
    assert leases.acquire(KEY) is None
    time.sleep(0.4)
    lease = leases.acquire(KEY)
    assert lease is not None
    assert lease.deaths == 1
    lease.release(keep=False)


def test_clocks_of_other_machines_do_not_count(work: Path) -> None:
    folder = _named(work, "elsewhere-0123456789ab-1-5-0.3-0123456789ab")
    leases = Leases(work)
    for year in (1980, 2100, 1990, 2050):  # it beats, whatever it takes for the time
        seconds = (year - 1970) * 365 * 24 * 3600
        os.utime(folder / "beat", (seconds, seconds))
        assert leases.acquire(KEY) is None
        time.sleep(0.2)


def test_a_number_that_another_process_has_now_is_that_of_a_dead_one(work: Path) -> None:
    this = Process.this()
    _named(work, f"{this.host}-{this.machine}-{this.number}-1-60-0123456789ab")
    lease = Leases(work).acquire(KEY)
    assert lease is not None
    lease.release(keep=False)


def test_what_the_dead_were_about_to_make_or_delete_is_cleared(work: Path) -> None:
    this = Process.this()
    names = {
        f".{this.host}-{this.machine}-{this.number}-1-60-0123456789ab": False,
        f".{this}-60-0123456789ab": True,
        ".elsewhere-0123456789ab-1-5-60-0123456789ab": True,
        ".something": True,
        "0" * 64: True,
    }
    for name in names:
        (work / name).mkdir()
    for path in work.iterdir():
        os.utime(path, (1, 1))  # however old
    clear_leftovers(work.parent, Leases(work))
    assert {path.name for path in work.iterdir()} == {name for name, stays in names.items() if stays}
    leases = Leases(work)
    leases.gone = ("else*",)
    clear_leftovers(work.parent, leases)
    assert ".elsewhere-0123456789ab-1-5-60-0123456789ab" not in {path.name for path in work.iterdir()}


@pytest.mark.parametrize("text", ["", "a-b-c-d", "a-b-1", "a-b-1-2-3", "free"])
def test_what_names_no_process(text: str) -> None:
    assert Process.parse(text) is None


def test_processes_by_name() -> None:
    this = Process.this()
    assert Process.parse(str(this)) == this
    assert not this.is_dead()
    assert not Process("x", "another", 1, "1").is_dead(), "nothing is known of it"


@pytest.mark.parametrize(
    ("answer", "dead"), [(PermissionError(), False), (ProcessLookupError(), True), (OverflowError(), True)]
)
def test_a_process_that_cannot_be_seen_is_asked_by_a_signal(answer: Exception, dead: bool, monkeypatch) -> None:
    """Where /proc is mounted with hidepid, those of other users are not seen, and cannot be signalled either."""

    def kill(_number: int, _signal: int) -> None:
        raise answer

    monkeypatch.setattr("medssl_bench.store.process._birth", lambda _: None)
    monkeypatch.setattr("os.kill", kill)
    assert Process.this().is_dead() is dead


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_one_that_has_ended_and_is_not_waited_for_is_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        birth = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
        this = Process.this()
        process = Process(this.host, this.machine, child.pid, birth)
        assert not process.is_dead()
        child.kill()
        end = time.monotonic() + 10
        while not process.is_dead():
            assert time.monotonic() < end
            time.sleep(0.01)
        assert child.returncode is None, "nobody has waited for it"


def test_who_is_known_to_be_dead_elsewhere_is_revoked_and_fenced_off(work: Path) -> None:
    """As a scheduler knows it of another machine: the time of the lease is not waited for."""
    leases = Leases(work)
    lost = leases.acquire(KEY)
    assert lost is not None
    (lost.folder / "checkpoint.txt").write_text("where it is")
    owner = leases.owner(KEY)
    assert owner is not None
    assert not leases.revoke(KEY, owner[:-1] + "!"), "another owner"
    assert leases.revoke(KEY, owner)
    assert not leases.revoke(KEY, owner), "it is free already"
    assert not leases.revoke(KEY, "free")
    with pytest.raises(LeaseLost):
        lost.beat()
    kept = leases.kept(KEY)
    assert kept is not None
    assert (kept / "checkpoint.txt").read_text() == "where it is"
    following = leases.acquire(KEY)
    assert following is not None
    assert following.deaths == 1
    following.release(keep=False)
    assert leases.kept(KEY) is None
