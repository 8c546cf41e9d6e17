"""What an evaluation keeps of the validation images that were labelled for it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import medssl_bench
from medssl_bench.stages.recompute import _difference
from medssl_bench.store.record import Record
from medssl_bench.store.store import Store

SUITE = """
schema = 1
name = "kept"
floors = ["majority"]

[dataset.waves]
name = "npz"
path = "waves.npz"

[[comparison]]
id = "table"
datasets = ["waves"]
labels = [12]
validation_labels = 9
encoder = { name = "timm", model = "test_resnet" }

  [[comparison.arm]]
  name = "probe"
  evaluator = { name = "linear_probe", epochs = 8, lr = 0.1, validate_every = 1 }

  [[comparison.arm]]
  name = "logistic"
  evaluator = { name = "logistic", values = 3 }

  [[comparison.arm]]
  name = "neighbours"
  evaluator = "knn"

  [[comparison.arm]]
  name = "tuned"
  evaluator = { name = "finetune", epochs = 3, lr = 0.01, validate_every = 1 }
"""


def _run(folder: Path, text: str = SUITE) -> dict[str, tuple[Record, dict[str, np.ndarray], Path]]:
    """Run a suite; return record, predictions and folder of each evaluator."""
    (folder / "suite.toml").write_text(text, "utf-8")
    assert not medssl_bench.run(folder / "suite.toml", store=folder / "store", device="cpu").failed
    store = Store(folder / "store")
    found = {}
    for record in store.records():
        if record.kind == "evaluate":
            arrays = dict(np.load(store.folder(record.key) / "predictions.npz"))
            found[record.spec["evaluator"]["name"]] = (record, arrays, store.folder(record.key))
    return found


def test_scores_are_of_the_labelled_images_at_the_epoch_that_counts(waves: Path) -> None:
    labels = np.load(waves / "waves.npz")["val_labels"]
    found = _run(waves)
    for name in ("linear_probe", "logistic", "knn", "finetune"):
        record, arrays, folder = found[name]
        assert arrays["val_true"].tolist() == labels[arrays["val_index"]].tolist()
        assert arrays["val_score"].shape == (9, 3)
        assert arrays["val_score"].dtype == np.float32
        accuracy = (arrays["val_score"].argmax(1) == arrays["val_true"][:, 0]).mean()
        if name in {"linear_probe", "finetune"}:
            history = json.loads((folder / "history.json").read_text("utf-8"))
            (row,) = [row for row in history if row["epoch"] == record.metrics["selected_epoch"]]
            assert accuracy == pytest.approx(row["val_accuracy"])
            scores = np.take_along_axis(arrays["val_score"], arrays["val_true"], 1)
            assert -np.log(scores).mean() == pytest.approx(row["val_loss"], abs=1e-5)
    assert "val_score" not in found["majority"][1], "a floor has no validation labels"


def test_without_validation_labels_there_are_none(waves: Path) -> None:
    for record, arrays, _ in _run(waves, SUITE.replace("validation_labels = 9", "validation_labels = 0")).values():
        assert not {"val_true", "val_score"} & arrays.keys(), record.title


def test_a_result_of_an_older_release_is_the_same_where_it_has_numbers(tmp_path: Path) -> None:
    scores, val = np.eye(3, dtype=np.float32), {"val_true": np.zeros((2, 1)), "val_score": np.ones((2, 3))}
    old, new = tmp_path / "old.npz", tmp_path / "new.npz"
    np.savez(old, y_score=scores)
    np.savez(new, y_score=scores, **val)
    assert _difference(old, new) == ""
    assert "val_score" in _difference(new, old), "what is no longer there is told"
    np.savez(new, y_score=scores / 2, **val)
    assert _difference(old, new) == "values differ by up to 0.5, in y_score"
    np.savez(new, y_score=scores, **val, more=scores)
    assert _difference(old, new) == "other arrays: more"
