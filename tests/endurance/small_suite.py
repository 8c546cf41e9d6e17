"""A small suite with pretraining, probe and fine-tuning, and what of its results must not depend on how they came."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from medssl_bench import load_leaderboard
from medssl_bench.results.records import to_json
from medssl_bench.store.store import Store

SUITE = """\
schema = 1
name = "endurance"
seeds = [0]
floors = ["majority", "untrained"]

[encoder.small]
name = "timm"
model = "test_resnet"

[pretraining.crops]
encoder = "small"
augmentation = ["resized_crop", "horizontal_flip", "gamma"]
epochs = {epochs}
batch_size = 40

[[comparison]]
id = "endurance"
datasets = [{{ name = "phantom_cells", train = 240, val = 40, test = 60 }}]
labels = [120]
encoder = "small"
baseline = "supervised"

  [[comparison.arm]]
  name = "supervised"
  evaluator = {{ name = "finetune", epochs = {epochs}, batch_size = 40, validate_every = 5 }}

  [[comparison.arm]]
  name = "fine-tuned"
  pretraining = ["crops"]
  evaluator = {{ name = "finetune", epochs = {epochs}, batch_size = 40, validate_every = 5 }}

  [[comparison.arm]]
  name = "probe"
  pretraining = ["crops"]
  evaluator = {{ name = "linear_probe", epochs = 30 }}
"""


def write_suite(folder: Path, epochs: int) -> Path:
    """Write the suite into a folder, and return its file."""
    file = folder / "endurance.toml"
    file.write_text(SUITE.format(epochs=epochs), "utf-8")
    return file


def traces(suite: Path, store: Path, epochs_scale: float | None = None) -> dict[str, Any]:
    """Return the leaderboard, and of every stage the SHA-256 of every file and all metrics; no times and costs."""
    board = load_leaderboard(suite, store, data_dir=suite.parent, epochs_scale=epochs_scale)
    found: dict[str, Any] = {"leaderboard": to_json(board)}
    opened = Store(store)
    for record in opened.records():
        folder = opened.folder(record.key)
        files = {file.name: _digest(file) for file in sorted(folder.iterdir()) if file.name != "record.json"}
        found[record.key] = {"title": record.title, "metrics": record.metrics, "files": files}
    return found


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
