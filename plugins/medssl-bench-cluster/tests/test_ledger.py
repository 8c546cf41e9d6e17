"""Notes of jobs: whoever is to submit, events that are half written, and what the log said last."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from medssl_bench_cluster.ledger import Handle, Ledger, Notes

from medssl_bench.errors import UserError
from medssl_bench.executors.remote import this_worker


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    found = Ledger(tmp_path).notes("0123456789abcdef")
    found.open({"keys": ["a"]}, ["b", "a"])
    return found


def test_an_open_job_is_listed_until_it_is_closed(notes, tmp_path):
    assert [found.unit for found in Ledger(tmp_path).open()] == ["0123456789abcdef"]
    assert json.loads((notes.folder / "needs.json").read_text()) == ["a", "b"]
    notes.close()
    assert Ledger(tmp_path).open() == []
    assert (notes.folder / "ended").exists()


def test_what_an_earlier_job_of_the_same_stages_left_is_gone(notes):
    notes.submitted(Handle("17", 3, 1, "mark"))
    (notes.folder / "events.jsonl").write_text('{"n": 1}\n')
    notes.open({"keys": ["a"]}, ["a"])
    assert notes.handle() == Handle("17", 3, 1, "mark"), "it is open: another driver may have submitted it"
    notes.close()
    notes.open({"keys": ["a"]}, ["a"])
    assert notes.handle() is None
    assert list(notes.events()) == []
    assert not (notes.folder / "ended").exists()


def test_one_process_submits(notes):
    assert notes.claim()
    assert notes.claim(), "it is this one"
    other = "login2-0123456789ab-77-88"
    (notes.folder / "driver").write_text(other)
    assert not notes.claim()
    notes.release()
    assert (notes.folder / "driver").read_text() == other, "that is not ours"
    assert notes.claim(force=True)
    assert (notes.folder / "driver").read_text() == this_worker()
    notes.release()
    assert not (notes.folder / "driver").exists()
    dead = this_worker().rpartition("-")[0] + "-1"
    (notes.folder / "driver").write_text(dead)
    assert notes.claim()


def test_events_are_read_once_and_whole(notes):
    file = notes.folder / "events.jsonl"
    assert list(notes.events()) == []
    file.write_text('{"n": 1}\n{"n": 2')
    assert list(notes.events()) == [{"n": 1}]
    with file.open("a") as stream:
        stream.write('}\nnot JSON\n[1]\n\n{"n": 3}\n')
    assert list(notes.events()) == [{"n": 2}, {"n": 3}]
    assert list(notes.events()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"handle": "1", "unheard of": 2}'])
def test_a_handle_that_is_damaged_is_none(text, notes):
    (notes.folder / "handle").write_text(text)
    assert notes.handle() is None


def test_the_last_lines_of_the_log(notes):
    assert notes.last_lines() == ""
    notes.log.write_bytes(b"x" * 9000 + b"\n one \n\n two\n\xff three\n")
    assert notes.last_lines() == "one / two / � three"


def test_what_cannot_be_written_is_told_with_its_place(notes):
    shutil.rmtree(notes.folder)
    notes.folder.write_text("a file is in its place")
    for write in (lambda: notes.open({}, []), lambda: notes.submitted(Handle("7")), notes.claim):
        with pytest.raises(UserError, match=rf"^{notes.folder}: the notes of this job cannot be written: "):
            write()
