"""Recorded numbers of one small pretraining and what is made of it: they change only when a revision does."""

from __future__ import annotations

import json

import numpy as np
import pytest

import medssl_bench
from medssl_bench.plan.kinds import kinds
from medssl_bench.store.store import Store

SUITE = """
schema = 1
name = "golden"
floors = []

[dataset.waves]
name = "npz"
path = "waves.npz"

[dataset.others]
name = "npz"
path = "others.npz"

[pretraining.recipe]
encoder = { name = "timm", model = "test_resnet" }
augmentation = "simclr"
epochs = 2
batch_size = 16

[[comparison]]
id = "table"
datasets = ["waves"]
labels = [24]
analyses = [{ name = "silhouette", components = [2] }]
corrupted = { ops = ["gaussian_noise"], severities = [3] }
test_on = "others"

  [[comparison.arm]]
  name = "probe"
  pretraining = ["recipe"]
  evaluator = { name = "linear_probe", epochs = 20, lr = 0.05, batch_size = 8 }

  [[comparison.arm]]
  name = "fine-tuned"
  pretraining = ["recipe"]
  evaluator = { name = "finetune", epochs = 2, batch_size = 8, validate_every = 1 }
"""

GOLDEN = {
    "pretrain, epoch 0": {"lr": 5e-4, "loss": 3.78931, "val_loss": 3.41363},
    "pretrain, epoch 1": {"lr": 2.55e-4, "loss": 3.64719, "val_loss": 3.42703},
    "embed": {"mean": 0.0886161, "spread": 0.156655},
    "evaluate, linear_probe": {"loss": 0.647907, "val_loss": 0.827054},
    "evaluate, finetune": {"loss": 0.819484, "val_loss": 1.11098},
    "corrupt": {"auroc": 0.757},
    "transfer": {"auroc": 0.902},
    "analyse": {"explained_variance_2": 0.490143, "silhouette_2": 0.0698813},
}

STALE = (
    "The harness gives other results than before. If that is meant, raise the revision of {kind!r} in "
    "medssl_bench/plan/kinds/, so that no store mixes old results with new ones, and record the new numbers here."
)


def waves(count: int, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images that need no random generator: waves of one of three directions, in colours of their own."""
    number = first + np.arange(count)
    labels = number % 3
    y, x = np.mgrid[0:16, 0:16] * 2 * np.pi / 16
    across, down = np.array([1, 0, 1])[labels], np.array([0, 1, 1])[labels]
    shift = np.stack([0.7 * number, 1.3 * number, 2.9 * number], axis=1)
    wave = (across[:, None, None] * x + down[:, None, None] * y)[..., None] + shift[:, None, None, :]
    return np.round(127.5 + 100 * np.sin(wave)).astype(np.uint8), labels[:, None]


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[str, dict[str, float]]:
    folder = tmp_path_factory.mktemp("golden")
    for name, begin in (("waves", 0), ("others", 5000)):
        arrays = {}
        for split, (count, first) in {"train": (48, 0), "val": (24, 1000), "test": (30, 2000)}.items():
            arrays[f"{split}_images"], arrays[f"{split}_labels"] = waves(count, begin + first)
        np.savez(folder / f"{name}.npz", **arrays)
    (folder / "suite.toml").write_text(SUITE, "utf-8")
    result = medssl_bench.run(folder / "suite.toml", store=folder / "store", device="cpu")
    assert not result.failed
    return {name: numbers for record in Store(folder / "store").records() for name, numbers in _numbers(record, folder)}


def _numbers(record, folder):
    """Yield the numbers of a stage that change smoothly with its weights: losses, and the like."""
    place = Store(folder / "store").folder(record.key)
    if record.kind == "pretrain":
        for row in json.loads((place / "history.json").read_text("utf-8")):
            yield f"pretrain, epoch {row['epoch']:.0f}", {name: row[name] for name in ("lr", "loss", "val_loss")}
    if record.kind == "embed" and record.spec["start"] in _pretrained(folder):
        from medssl_bench.store.tensors import load_tensors

        features = load_tensors(place / "features.safetensors")["test"]
        yield "embed", {"mean": features.mean().item(), "spread": features.std().item()}
    if record.kind == "evaluate":
        row = json.loads((place / "history.json").read_text("utf-8"))[-1]
        name = record.spec["evaluator"]["name"]
        yield f"evaluate, {name}", {key: row[key] for key in ("loss", "val_loss")}
    if record.kind in {"corrupt", "transfer"} and "fine-tuned" not in record.title:
        yield record.kind, {"auroc": float(np.mean(record.metrics["auroc"]))}
    if record.kind == "analyse" and "fine-tuned" not in record.title:
        yield "analyse", dict(record.metrics)


def _pretrained(folder):
    return {record.key for record in Store(folder / "store").records() if record.kind == "pretrain"}


@pytest.mark.parametrize("part", GOLDEN)
def test_the_numbers_are_those_on_record(found, part):
    kind = part.partition(",")[0]

    counted = {"abs": 0.02} if kind in {"corrupt", "transfer"} else {}  # rounding turns a pair of images round
    assert found[part] == pytest.approx(GOLDEN[part], rel=1e-3, **counted), STALE.format(kind=kind)


def test_every_kind_of_stage_is_on_record(found):
    assert found.keys() == GOLDEN.keys()
    assert {part.partition(",")[0] for part in GOLDEN} == kinds().keys()
