"""Reading everything in a store: each kind of damage is told, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from filled import KEYS, filled

from medssl_bench.errors import DamageWarning
from medssl_bench.store.audit import audit, set_altered_aside

A, B, C, D = KEYS


def test_a_sound_store(tmp_path: Path) -> None:
    assert list(audit(filled(tmp_path / "store", A, B))) == [None, None]
    assert list(audit(filled(tmp_path / "empty"))) == []


def test_each_kind_of_damage(tmp_path: Path) -> None:
    store = filled(tmp_path / "store", A, B, C, D)
    (store.folder(A) / "weights").write_text("W" + f"weights of {A}"[1:])
    (store.folder(B) / "weights").unlink()
    (store.folder(C) / "foreign").write_text("x")
    record = store.folder(D) / "record.json"
    record.write_text(record.read_text().replace("evaluate", "Evaluate"))
    shutil.copytree(store.folder(C), store.path / "done" / "00" / C)
    found = {finding.key: finding.what for finding in audit(store) if finding and finding.key != C}
    assert found == {
        A: "the SHA-256 of weights is not that of its record",
        B: "weights is missing",
        D: "record.json is missing, or not what was written",
    }
    assert [f.what for f in audit(store) if f and f.key == C] == ["'foreign' is no file of this stage"] * 2


def test_a_stage_in_a_wrong_place(tmp_path: Path) -> None:
    store = filled(tmp_path / "store", A)
    (store.path / "done" / "zz").mkdir()
    store.folder(A).rename(store.path / "done" / "zz" / A)
    (finding,) = audit(store)
    assert finding is not None
    assert finding.what == "it is not where a stage of this key belongs"


def test_what_a_report_would_read_is_set_aside_if_it_was_altered(tmp_path: Path) -> None:
    store = filled(tmp_path / "store", A, B)
    (store.folder(A) / "history.json").write_text("{}")
    with pytest.warns(DamageWarning, match="the SHA-256 of history.json is not that of its record; it is set aside"):
        set_altered_aside(store, [A, B, C])
    assert not store.is_done(A)
    assert store.is_done(B)
    set_altered_aside(store, [A, B, C])  # in silence
