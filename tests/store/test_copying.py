"""Merging two stores: whole, verified, and never over a good result."""

from __future__ import annotations

from pathlib import Path

from filled import KEYS, files, filled
from leased import leased

from medssl_bench.store.copying import merge
from medssl_bench.store.descriptions import Description, descriptions, write_description
from medssl_bench.store.record import Record

A, B, C, _ = KEYS


def test_what_is_missing_is_taken_and_what_is_here_is_kept(tmp_path: Path) -> None:
    one, other = filled(tmp_path / "one", A, B), filled(tmp_path / "other", B, C)
    before = files(other)
    found = merge(other, one)
    assert (found.taken, found.kept, found.refused) == ([f"stage {C[:2]}"], 1, [])
    assert files(other) == before
    assert files(one) == {**files(filled(tmp_path / "both", A, B, C))}
    assert list((one.path / "work").iterdir()) == []


def test_into_a_store_that_is_not_there_yet(tmp_path: Path) -> None:
    from medssl_bench.store.store import Store

    source = filled(tmp_path / "source", A)
    target = Store(tmp_path / "new")
    assert merge(source, target).taken == [f"stage {A[:2]}"]
    assert files(target) == files(source)


def test_a_damaged_result_here_is_replaced_and_one_there_is_not_taken(tmp_path: Path) -> None:
    one, other = filled(tmp_path / "one", A), filled(tmp_path / "other", A, B, C)
    (one.folder(A) / "weights").write_text("cut")
    (other.folder(B) / "weights").write_text("w" * len(f"weights of {B}"))
    (other.folder(C) / "weights").unlink()
    found = merge(other, one)
    assert found.taken == [f"stage {A[:2]}"]
    assert found.refused == [
        f"stage {B[:2]}: the SHA-256 of weights is not that of its record",
        f"stage {C[:2]}: weights: No such file or directory",
    ]
    assert one.is_done(A)
    assert not one.is_done(B)
    assert len(list((one.path / "damaged").iterdir())) == 1
    assert list((one.path / "work").iterdir()) == []


def test_failures_are_not_taken_and_what_is_taken_has_failed_no_more(tmp_path: Path) -> None:
    one, other = filled(tmp_path / "one"), filled(tmp_path / "other", A)
    for store, key in ((one, A), (other, B)):
        with leased(store, key) as lease:
            store.fail(Record(key, "evaluate", "title", "failed", {}, reason="no"), "", lease)
    merge(other, one)
    assert one.failure(A) is None
    assert one.failure(B) is None
    assert not (one.path / "failed" / A).exists()


def test_what_is_remembered_of_data_sets_comes_along(tmp_path: Path) -> None:
    one, other = filled(tmp_path / "one"), filled(tmp_path / "other")
    both, new, broken = "0" * 32, "1" * 32, "2" * 32
    for store, text in ((one, "ours"), (other, "theirs")):
        write_description(store.path, both, Description(text, {}))
    for key in (new, broken):
        write_description(other.path, key, Description("theirs", {}))
    (one.path / "datasets" / f"{broken}.json").write_text("no such thing")
    merge(other, one)
    found = {file.stem: read for file, read in descriptions(one.path) if isinstance(read, Description)}
    assert {key: read.fingerprint for key, read in found.items()} == {both: "ours", new: "theirs", broken: "theirs"}


def test_a_file_that_no_record_names_stays_behind(tmp_path: Path) -> None:
    one, other = filled(tmp_path / "one"), filled(tmp_path / "other", A)
    (other.folder(A) / "evil.py").write_text("x")
    merge(other, one)
    assert {file.name for file in one.folder(A).iterdir()} == {"record.json", "weights", "history.json"}
