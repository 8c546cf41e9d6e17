"""The verbs of `store`, and `verify`, on the results of a real run."""

from __future__ import annotations

import json
import platform
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pytest

from medssl_bench.store.record import Record
from medssl_bench.store.store import Store


def _rows(cli, *options):
    result = cli("store", "ls", "--json", *options)
    assert result.status == 0, result.err
    return json.loads(result.out)


def _spoil(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def test_ls(cli, ran):
    rows = _rows(cli)
    plan = json.loads(cli("plan", ran, "--json").out)["stages"]
    assert {row["key"] for row in rows} == {stage["key"] for stage in plan}
    assert {row["status"] for row in rows} == {"done"}
    assert all(row["bytes"] > 0 and row["seconds"] > 0 and row["time"] for row in rows)

    lease = Store(Path("store")).leases.acquire("ab" * 32)
    assert lease is not None
    (Store(Path("store")).folder(rows[0]["key"]) / "record.json").unlink()
    found = {row["key"]: row for row in _rows(cli)}
    assert found["ab" * 32]["status"] == "running"
    assert "without a checkpoint" in found["ab" * 32]["what"]
    lease.release(keep=True)
    assert {row["key"]: row["status"] for row in _rows(cli)}["ab" * 32] == "stopped"
    assert found[rows[0]["key"]]["status"] == "damaged"
    shown = cli("store", "ls")
    assert shown.status == 0
    assert f"{len(rows) - 1} done" in shown.out
    assert "record.json is missing" in shown.out


def test_verify_of_a_store(cli, ran):
    assert cli("store", "verify").out.endswith(" finished stages, 0 of them not what was written\n")
    key = next(row["key"] for row in _rows(cli) if row["kind"] == "evaluate")
    _spoil(next(Store(Path("store")).folder(key).glob("*.npz")))
    found = cli("store", "verify")
    assert found.status == 1
    assert f"{key[:12]}: the SHA-256 of predictions.npz is not that of its record\n" in found.out
    assert "1 of them not what was written" in found.out
    assert "set aside in" in cli("store", "verify", "--set-aside").out
    assert cli("store", "verify").status == 0
    assert cli("run", ran).status == 0
    assert len(_rows(cli)) == len(json.loads(cli("plan", ran, "--json").out)["stages"]), "it was computed again"


def test_gc(cli, ran):
    everything = {row["key"] for row in _rows(cli)}
    assert cli("run", ran, "--epochs-scale", "0.5").status == 0
    scaled = {row["key"] for row in _rows(cli)} - everything
    assert cli("store", "gc", ran).out == "nothing can be deleted\n", "scaled results of the suite stay"
    ran.write_text(ran.read_text().replace("epochs = 4 ", "epochs = 5 "))
    listed = cli("store", "gc", ran)
    assert "say --delete to do so" in listed.out
    assert listed.out.count("supervised") > 0
    assert "pretrain · nat · squares · seed 0\n" not in listed.out.replace("features · squares · ", "")
    assert {row["key"] for row in _rows(cli)} == everything | scaled, "listing deletes nothing"
    assert " deleted, " in cli("store", "gc", ran, "--delete").out
    left = {row["key"] for row in _rows(cli)}
    assert left < everything | scaled
    assert cli("store", "gc", ran).out == "nothing can be deleted\n"


def test_gc_of_a_suite_whose_data_were_never_seen(cli, ran):
    Path("squares.npz").rename("gone.npz")
    assert cli("store", "gc", ran).status == 0, "the store remembers them"
    for file in Path("store/datasets").iterdir():
        file.unlink()
    refused = cli("store", "gc", ran, "--delete")
    assert refused.status == 2
    assert "were never read, so its stages are unknown" in refused.err


def test_an_exported_study_gives_the_same_tables_elsewhere_without_the_data(cli, ran, tmp_path_factory, monkeypatch):
    board = cli("leaderboard", ran, "--format", "json").out
    assert cli("store", "export", ran, "-o", "study.tar.gz").status == 0
    assert cli("store", "export", ran, "-o", "study.tar.gz").status == 2, "nothing is written over"
    file = Path("study.tar.gz").resolve()
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    with tarfile.open(file) as tar:
        tar.extractall(".", filter="data")
    assert cli("leaderboard", "suite/tiny.toml", "--store", "store", "--format", "json").out == board
    assert cli("store", "merge", file, "--store", "other").status == 0
    assert cli("leaderboard", "suite/tiny.toml", "--store", "other", "--format", "json").out == board
    assert not list(Path().rglob("*.npz.gz"))
    assert "medssl-bench report suite/tiny.toml" in Path("README.md").read_text()


def test_what_is_known_of_data_is_checked(cli, ran):
    """A licence and the names of classes decide no result, and stand in every report."""
    (file,) = Path("store/datasets").iterdir()
    sound = file.read_text()
    assert cli("store", "verify").status == 0
    Path("squares.npz").rename("gone.npz")
    assert cli("leaderboard", ran).status == 0, "the store remembers them"
    altered = [
        sound.replace('"licence": "unknown"', '"licence": "CC BY 4.0"'),
        sound.replace('"0"', '"benign"', 1),
        sound[: len(sound) // 2],
        "",
        "{" + sound[sound.index(",") + 1 :],  # the digest is cut out
        sound.replace('"key": "', '"key": "0'),
    ]
    for text in altered:
        assert text != sound
        file.write_text(text)
        found = cli("store", "verify")
        assert (found.status, f"datasets/{file.name}: " in found.out) == (1, True), text
        with warnings.catch_warnings(action="always"):  # told as a user sees it
            shown = cli("leaderboard", ran)
            assert cli("store", "export", ran, "-o", "study.tar.gz").status == 2
        assert "benign" not in shown.out
        assert f"warning: store/datasets/{file.name}: this is not what was written (" in shown.err
        assert not Path("study.tar.gz").exists()
        merged = cli("store", "merge", "store", "--store", "other")
        assert merged.status == 1
        assert f"not taken: datasets/{file.name}: " in merged.err
        assert not list(Path("other/datasets").glob("*"))
    assert "set aside in " in cli("store", "verify", "--set-aside").out
    assert cli("store", "verify").status == 0
    Path("gone.npz").rename("squares.npz")
    assert cli("run", ran, "--draws", "0,1,2", "--only", "frozen").status == 0
    assert file.read_text() == sound, "a run where the data are writes it again"


def test_what_an_older_version_knew_of_data_is_read(cli, ran):
    (file,) = Path("store/datasets").iterdir()
    known = json.loads(file.read_text())
    file.write_text(json.dumps({"fingerprint": known["fingerprint"], "info": known["info"]}, indent=1) + "\n")
    Path("squares.npz").unlink()
    shown = cli("leaderboard", ran)
    assert (shown.status, shown.err) == (0, "")
    assert " finished stages, 0 of them" in cli("store", "verify").out
    assert cli("store", "export", ran, "-o", "study.tar.gz").status == 0
    assert cli("store", "merge", "study.tar.gz", "--store", "other").status == 0
    assert '"digest"' in next(Path("other/datasets").iterdir()).read_text()


def test_an_export_shows_no_machine_and_no_folder(cli, ran, tmp_path):
    assert cli("store", "export", ran, "-o", "study.tar.gz").status == 0
    with tarfile.open("study.tar.gz") as archive:
        texts = [archive.extractfile(member).read() for member in archive if member.name.endswith(".json")]
    assert not any(str(tmp_path).encode() in text for text in texts)
    records = [record for text in texts if "provenance" in (record := json.loads(text))]
    assert records
    assert {record["provenance"]["host"] for record in records} == {None}
    local = [json.loads(file.read_text()) for file in Path("store/done").rglob("record.json")]
    assert {record["provenance"]["host"] for record in local} == {platform.node()}, "here it is known"
    assert {(record["key"], json.dumps(record["identity"])) for record in records} == {
        (record["key"], json.dumps(record["identity"])) for record in local
    }
    ran.write_text(ran.read_text().replace('path = "squares.npz"', f'path = "{tmp_path}/squares.npz"'))
    told = cli("store", "export", ran, "-o", "other.tar.gz")
    assert f"note: suite/tiny.toml names a place of this machine, '{tmp_path}/squares.npz', which" in told.err


def test_a_study_without_results_is_not_exported(cli, ran):
    ran.write_text(ran.read_text().replace("seeds = [0]", "seeds = [7]").replace("draws = [0, 1]", "draws = [7]"))
    options = ["--only", "supervised", "-o", "study.tar.gz"]
    refused = cli("store", "export", ran, *options)
    assert (refused.status, refused.err) == (2, "error: store: it holds no results of 'tiny'; run it first\n")
    assert not Path("study.tar.gz").exists()


def test_merge_of_two_machines(cli, tiny):
    """Each draw on a machine of its own, and then all of it in one store."""
    assert cli("run", tiny, "--draws", "0", "--store", "one").status == 0
    assert cli("run", tiny, "--draws", "1", "--store", "two").status == 0
    merged = cli("store", "merge", "two", "--store", "one")
    assert merged.status == 0, merged.err
    assert " 0 not taken" in merged.out
    again = cli("run", tiny, "--store", "one")
    assert "everything is done already" in again.out


def test_what_is_no_store(cli, tiny):
    for verb in (["ls"], ["verify"], ["gc"]):
        refused = cli("store", *verb, "--store", "nowhere")
        assert (refused.status, refused.err) == (2, "error: nowhere: there is no store here; give another --store\n")
    assert cli("store", "merge", "nowhere").status == 2


@pytest.mark.parametrize("kind", ["pretrain", "embed", "evaluate", "analyse"])
def test_a_stage_that_is_computed_anew_is_the_same_to_the_bit(cli, ran, kind):
    row = next(row for row in _rows(cli) if row["kind"] == kind)
    before = {path: path.stat().st_mtime_ns for path in Path("store").rglob("*")}
    found = cli("verify", row["key"][:16])
    assert found.status == 0, found.out + found.err
    assert found.out.endswith("it is the same to the bit\n")
    assert before == {path: path.stat().st_mtime_ns for path in Path("store").rglob("*")}, "the store is only read"


def test_verify_tells_what_differs(cli, ran):
    """A record that claims other results than the code gives now, consistent in itself."""
    row = next(row for row in _rows(cli) if row["kind"] == "evaluate" and "frozen" in row["title"])
    folder = Store(Path("store")).folder(row["key"])
    with np.load(folder / "predictions.npz") as found:
        arrays = dict(found)
    arrays["y_score"] = arrays["y_score"] + np.float32(0.25)
    np.savez(folder / "predictions.npz", **arrays)
    import hashlib

    data = json.loads((folder / "record.json").read_text())
    del data["digest"]
    content = (folder / "predictions.npz").read_bytes()
    data["files"]["predictions.npz"] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    data["metrics"]["accuracy"] = 0.123
    (folder / "record.json").write_text(Record(**data).to_json())
    differing = cli("verify", folder / "record.json")
    assert differing.status == 1
    assert "DIFFERENT       predictions.npz: values differ by up to 0.25, in y_score\n" in differing.out
    assert "DIFFERENT       accuracy: was 0.123, is " in differing.out
    assert "2 things differ" in differing.out


def test_verify_refuses_other_circumstances(cli, ran):
    row = next(row for row in _rows(cli) if row["kind"] == "embed")
    file = Store(Path("store")).folder(row["key"]) / "record.json"
    data = json.loads(file.read_text())
    del data["digest"]
    data["provenance"] |= {"threads": 64, "deterministic": False}
    file.write_text(Record(**data).to_json())
    refused = cli("verify", row["key"])
    assert refused.status == 2
    assert "the same bits are not to be expected (threads: it was 64, it is 1); --anyway compares" in refused.err
    anyway = cli("verify", row["key"], "--anyway")
    assert anyway.status == 0
    assert "its record does not promise the same bits" in anyway.out


def test_a_record_of_a_stranger_cannot_write_to_the_terminal(cli, ran):
    row = _rows(cli)[0]
    file = Store(Path("store")).folder(row["key"]) / "record.json"
    data = json.loads(file.read_text())
    del data["digest"]
    file.write_text(Record(**{**data, "title": "evil \x1b]0;title\x07 [red]"}).to_json())
    for arguments in (["store", "ls"], ["store", "gc", ran]):
        shown = cli(*arguments)
        assert shown.status == 0
        assert "\x1b" not in shown.out
        assert "\x07" not in shown.out
    assert r"evil \x1b]0;title\x07 [red]" in cli("store", "ls").out
