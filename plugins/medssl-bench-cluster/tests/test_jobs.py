"""``medssl-bench jobs`` where there is no cluster."""

from __future__ import annotations

import json

import pytest
from medssl_bench_cluster.ledger import Handle, Ledger

from medssl_bench.cli.main import main


@pytest.fixture
def jobs(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("PATH", "/nowhere")  # no Slurm, whatever this machine has

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["medssl-bench", "jobs", "--store", str(tmp_path), *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run


def test_a_store_without_jobs(jobs):
    assert jobs() == (0, "no open jobs\n", "")
    assert json.loads(jobs("--json")[1]) == []
    assert jobs("--cancel") == (0, "0 cancelled\n", "")


def test_a_unit_that_is_not_there(jobs, tmp_path):
    assert jobs("abc") == (
        2, "", f"error: {tmp_path}: there is no open job of a unit 'abc'; medssl-bench jobs shows all\n"
    )  # fmt: skip


def test_an_engine_that_cannot_be_asked_is_told(jobs, tmp_path):
    notes = Ledger(tmp_path).notes("0123456789abcdef")
    notes.open({"executor": {"name": "slurm"}, "keys": ["a"], "title": "features"}, ["a"])
    notes.submitted(Handle("17"))
    status, _, err = jobs()
    assert status == 2
    assert err.startswith("error: sbatch, squeue, scancel, scontrol, sinfo: not on the PATH")


def test_a_job_of_an_executor_without_an_engine(jobs, tmp_path):
    notes = Ledger(tmp_path).notes("0123456789abcdef")
    notes.open({"executor": {"name": "local"}, "keys": ["a"], "title": "features"}, ["a"])
    assert jobs() == (2, "", "error: the executor 'local' has no engine that could be asked\n")


def test_notes_that_say_nothing_are_shown_and_can_be_closed(jobs, tmp_path):
    notes = Ledger(tmp_path).notes("0123456789abcdef")
    notes.open({}, [])
    assert jobs() == (0, "0123456789abcdef  None not submitted  unknown  0 stages: \n", "")
    assert jobs("0123", "--cancel") == (0, "1 cancelled\n", "")
    assert jobs() == (0, "no open jobs\n", "")
