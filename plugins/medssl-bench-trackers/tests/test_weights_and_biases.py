"""Weights & Biases offline: what its files hold."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from followed_suite import PRETRAINED, PROBED, needs, once_each
from offline import offline_runs
from PIL import Image

pytestmark = needs("wandb", "wandb")


def _epochs(told) -> list[int]:
    return [row["epoch"] for row in told.history if "epoch/loss" in row]


def test_it_holds_the_run(follow, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef" * 2 + "01234567")
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path))  # artefacts wait there
    monkeypatch.setattr("socket.gethostname", lambda: "a-machine-of-mine")
    monkeypatch.setattr("platform.node", lambda: "a-machine-of-mine")
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    follow({"name": "wandb", "folder": str(tmp_path)}, store=tmp_path / "store")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    runs = offline_runs(tmp_path / "wandb")
    assert runs.keys() == {PRETRAINED, PROBED, "leaderboard"}

    pretrained = runs[PRETRAINED]
    assert once_each(_epochs(pretrained), 6)
    assert pretrained.about["project"] == "followed"
    assert (pretrained.about["group"], pretrained.about["kind"]) == ("frozen | probed", "pretrain")
    assert (pretrained.config["recipe"], pretrained.config["batch_size"], pretrained.config["seed"]) == ("nat", 20, 0)
    assert (pretrained.summary["status"], pretrained.exits) == ("done", [0])
    assert [paths for _, paths in pretrained.artefacts] == [["history.json", "record.json"]]
    (picture,) = (tmp_path / "wandb").glob("offline-run-*/files/media/images/views_*.png")
    with Image.open(picture) as image:
        assert image.width > 100

    probed = runs[PROBED]
    assert (probed.config["labels"], probed.config["evaluator.name"]) == ("40", "linear_probe")
    (table,) = (tmp_path / "wandb").glob("offline-run-*/files/media/table/leaderboard_*.json")
    found = json.loads(table.read_text())
    rows = [dict(zip(found["columns"], row, strict=True)) for row in found["data"]]
    (row,) = [row for row in rows if row["metric"] == "accuracy"]
    assert row["value"] == probed.summary["result/accuracy"]

    store = {file for file in (tmp_path / "store").rglob("*") if file.is_file()}
    assert [file for file in store if b"a-machine-of-mine" in file.read_bytes()]
    written = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file() and file not in store}
    assert [file for file, content in written.items() if b'"provenance"' in content]
    assert not [file for file, content in written.items() if b"0123456789abcdef" in content]
    assert not [file for file, content in written.items() if b"a-machine-of-mine" in content]


def test_a_run_that_is_stopped_goes_on_as_the_same_run(follow, tmp_path):
    watcher = {"name": "wandb", "folder": str(tmp_path), "artefacts": "all", "project": "my-project-" * 8}
    follow(watcher, store=tmp_path / "store", stop=2)
    begun = offline_runs(tmp_path / "wandb")[PRETRAINED]
    assert (_epochs(begun), begun.summary["status"]) == ([0, 1], "stopped")
    follow(watcher, store=tmp_path / "store")
    runs = offline_runs(tmp_path / "wandb")
    assert max(len(run.about["id"]) for run in runs.values()) == 64  # W&B takes no more
    told = runs[PRETRAINED]
    assert len(list(Path(tmp_path / "wandb").glob(f"offline-run-*-{told.about['id']}"))) == 2
    assert once_each(_epochs(told), 6)  # `wandb sync` of this folder may replace what one before it has sent
    ((_, paths),) = told.artefacts
    assert "encoder.safetensors" in paths
    assert (told.summary["status"], told.exits) == ("done", [0])

    follow(watcher, store=tmp_path / "another")  # the same stages, computed again: they are logged
    assert offline_runs(tmp_path / "wandb")[PRETRAINED] == told
