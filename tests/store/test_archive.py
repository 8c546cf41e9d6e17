"""Studies as one file: the same bytes for the same study, and nothing from a stranger's file gets out of its place."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from filled import KEYS, files, filled

from medssl_bench.errors import StoreError, UserError
from medssl_bench.store.archive import Study, opened_archive, write_archive
from medssl_bench.store.copying import merge
from medssl_bench.store.descriptions import Description, read_description, write_description

A, B, C, _ = KEYS


@pytest.fixture
def study(tmp_path: Path) -> Study:
    (tmp_path / "suite.toml").write_text("schema = 1\n")
    return Study("mine", {"suite.toml": tmp_path / "suite.toml"}, [B, A, C], [f"{'0' * 32}.json"])


def test_what_goes_in_comes_out(tmp_path: Path, study: Study) -> None:
    store = filled(tmp_path / "store", A, B)
    for key in ("0" * 32, "1" * 32):
        write_description(store.path, key, Description("content", {}))
    assert write_archive(study, store, tmp_path / "study.tar.gz", readme="read me") == 2
    with opened_archive(tmp_path / "study.tar.gz") as inside:
        assert files(inside) == files(store)
        kept = inside.path / "datasets"
        assert [file.name for file in kept.iterdir()] == [f"{'0' * 32}.json"], "data of other studies are left out"
        assert read_description(kept / f"{'0' * 32}.json") == Description("content", {})
        merged = merge(inside, filled(tmp_path / "other", A))
    assert (len(merged.taken), merged.kept) == (1, 1)
    with tarfile.open(tmp_path / "study.tar.gz") as tar:
        assert tar.getnames()[:2] == ["README.md", "suite/suite.toml"]


def test_the_same_study_gives_the_same_bytes(tmp_path: Path, study: Study) -> None:
    store = filled(tmp_path / "store", A)
    for name in ("one.tar.gz", "two.tar.gz"):
        write_archive(study, store, tmp_path / name, readme="")
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()


def test_a_damaged_stage_makes_none(tmp_path: Path, study: Study) -> None:
    store = filled(tmp_path / "store", A)
    (store.folder(A) / "weights").write_text("x" * len(f"weights of {A}"))
    with pytest.raises(StoreError, match="the SHA-256 of weights is not that of its record"):
        write_archive(study, store, tmp_path / "study.tar.gz", readme="")
    assert {path.name for path in tmp_path.iterdir()} == {"store", "suite.toml"}, "no half of a file is left"


def test_a_place_that_cannot_be_written(tmp_path: Path, study: Study) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="this cannot be written: "):
        write_archive(study, filled(tmp_path / "store", A), tmp_path / "file" / "study.tar.gz", readme="")


def _archive(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


def test_nothing_but_files_of_stages_is_unpacked(tmp_path: Path) -> None:
    store = filled(tmp_path / "store", A)
    record = (store.folder(A) / "record.json").read_bytes()
    place = f"store/done/{A[:2]}/{A}"
    file = _archive(
        tmp_path / "evil.tar.gz",
        (_member(f"{place}/record.json"), record),
        (_member(f"{place}/history.json"), b"[]"),
        (_member(f"{place}/weights", tarfile.SYMTYPE, "/etc/passwd"), b""),
        (_member(f"{place}/more"), b"no record names it"),
        (_member("../outside"), b"x"),
        (_member("/tmp/outside-of-it"), b"x"),
        (_member("store/../../outside"), b"x"),
        (_member(f"{place}/../../../../outside"), b"x"),
        (_member("store/store.json"), b'{"layout": 99}'),
    )
    before = set(tmp_path.iterdir())
    with opened_archive(file) as inside:
        assert {path.name for path in inside.path.rglob("*") if path.is_file()} == {
            "store.json", "record.json", "history.json",
        }  # fmt: skip
        found = merge(inside, filled(tmp_path / "target"))
    assert found.refused == [f"stage {A[:2]}: weights: No such file or directory"]
    assert set(tmp_path.iterdir()) - before == {tmp_path / "target"}


def test_a_file_of_another_size_than_its_record_says_is_not_unpacked(tmp_path: Path) -> None:
    store = filled(tmp_path / "store", A)
    place = f"store/done/{A[:2]}/{A}"
    file = _archive(
        tmp_path / "large.tar.gz",
        (_member(f"{place}/record.json"), (store.folder(A) / "record.json").read_bytes()),
        (_member(f"{place}/weights"), b"0" * 10**7),
    )
    with opened_archive(file) as inside:
        assert not (inside.folder(A) / "weights").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00" + b"\0" * 40])
def test_what_is_no_archive(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "study.tar.gz").write_bytes(content)
    with pytest.raises(StoreError, match=r"study.tar.gz: this "), opened_archive(tmp_path / "study.tar.gz"):
        pass


def test_one_that_is_cut_off(tmp_path: Path, study: Study) -> None:
    write_archive(study, filled(tmp_path / "store", A, B), tmp_path / "study.tar.gz", readme="")
    whole = (tmp_path / "study.tar.gz").read_bytes()
    for length in range(1, len(whole), 97):
        (tmp_path / "cut.tar.gz").write_bytes(whole[:length])
        with pytest.raises(StoreError, match=r"cut.tar.gz: "), opened_archive(tmp_path / "cut.tar.gz"):
            pass
