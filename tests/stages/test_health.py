"""A pretraining that is made to collapse is flagged in its record and in tables; one that learns is not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import medssl_bench
from medssl_bench.datasets import DatasetContext
from medssl_bench.figures.pretraining import draw_pretrainings
from medssl_bench.plan.build import build_plan
from medssl_bench.results.formats.text import notes
from medssl_bench.results.leaderboard import Leaderboard
from medssl_bench.stages.recompute import _as_before, _changed, _difference
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

PLUGIN = """
from medssl_bench import hookimpl
from medssl_bench.methods import Method, View

@hookimpl
def medssl_methods(register):
    register("together", together)

def together(encoder, context):
    "It gives all images the same features."
    return Together(encoder)

class Together(Method):
    def views(self):
        return (View(),)

    def forward(self, batch, progress):
        return (self.encoder(batch.views[0]).float() - 1).square().mean(), {}
"""

SUITE = """
schema = 1
name = "health"
plugins = ["own.py"]

[dataset.waves]
name = "npz"
path = "waves.npz"

[encoder.small]
name = "timm"
model = "test_resnet"

[pretraining.sound]
encoder = "small"
augmentation = ["resized_crop", "horizontal_flip"]
epochs = 3
batch_size = 20

[pretraining.collapsing]
extends = "sound"
method = "together"
epochs = 16
batch_size = 8
optimizer = { name = "adamw", lr = 0.05 }

[[comparison]]
id = "table"
datasets = ["waves"]
labels = [12]
analyses = ["health"]

  [[comparison.arm]]
  name = "sound"
  pretraining = ["sound"]
  evaluator = { name = "linear_probe", epochs = 4 }

  [[comparison.arm]]
  name = "collapsed"
  pretraining = ["collapsing"]
  evaluator = { name = "linear_probe", epochs = 4 }
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Leaderboard]:
    from stages.conftest import write_waves

    folder = write_waves(tmp_path_factory.mktemp("health"))
    (folder / "suite.toml").write_text(SUITE, "utf-8")
    (folder / "own.py").write_text(PLUGIN, "utf-8")
    assert not medssl_bench.run(folder / "suite.toml", store=folder / "store", device="cpu").failed
    suite, context = Suite.load(folder / "suite.toml"), DatasetContext(folder / "data", folder / "cache")
    store = Store(folder / "store")
    return store, Leaderboard.of(suite, build_plan(suite, context), store)


def test_a_collapsed_pretraining_is_flagged_and_a_sound_one_is_not(ran) -> None:
    store, board = ran
    found = {record.spec["method"]["name"]: record for record in store.records() if record.kind == "pretrain"}
    assert "features_collapsed" not in found["simclr"].flags
    told = found["together"].flags["features_collapsed"]
    assert told.startswith("the encoder's features have collapsed to ")
    for record in found.values():
        rows = json.loads((store.folder(record.key) / "history.json").read_text())
        assert all({"val_feature_spread", "val_feature_rank", "val_feature_cosine"} <= row.keys() for row in rows)
        assert record.metrics["start_feature_rank"] > 2
    assert found["simclr"].metrics["start_feature_rank"] == found["together"].metrics["start_feature_rank"]
    lines = [line for line in notes(board.tables[0]) if "features have collapsed" in line]
    assert lines
    assert all("'collapsed'" in line for line in lines)


def test_the_analysis_says_so_beside_the_untrained_encoder(ran) -> None:
    _, board = ran
    rows = {row.arm: row.metrics for row in board.tables[0].analyses}
    assert rows.keys() == {"untrained encoder", "sound", "collapsed"}
    names = {"rankme", "centred_rank", "participation", "spread", "uniformity", "mean_cosine"}
    assert all(metrics.keys() == names for metrics in rows.values())
    assert rows["collapsed"]["rankme"].mean < rows["untrained encoder"]["rankme"].mean
    (value,) = rows["collapsed"]["rankme"].values
    assert "features_collapsed" in value.flags


def test_the_figure_has_the_gauges_by_epoch(ran) -> None:
    store, _ = ran
    histories = [
        (record.spec["method"]["name"], json.loads((store.folder(record.key) / "history.json").read_text()))
        for record in store.records()
        if record.kind == "pretrain"
    ]
    names = {axes.get_ylabel() for axes in draw_pretrainings(histories).axes} - {""}
    assert names == {"loss", "contrastive accuracy", "spread", "effective rank", "learning rate"}


def test_a_pretraining_of_an_older_release_is_the_same(tmp_path: Path) -> None:
    old, new = ([{"epoch": 0.0, "loss": 1.0}], [{"epoch": 0.0, "loss": 1.0, "val_feature_rank": 3.0}])
    assert _as_before(old, new) == old
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "history.json").write_text(json.dumps(old))
    (tmp_path / "history.json").write_text(json.dumps(new))
    assert _difference(tmp_path / "old" / "history.json", tmp_path / "history.json") == ""
    (tmp_path / "history.json").write_text(json.dumps([{**new[0], "loss": np.pi}]))
    assert _difference(tmp_path / "old" / "history.json", tmp_path / "history.json") == "other text"
    assert _changed({"loss": 1.0}, {"loss": 1.0, "start_feature_rank": 3.0}) == []
    assert _changed({"loss": 1.0, "start_feature_rank": 2.0}, {"loss": 1.0, "start_feature_rank": 3.0})
