"""An evaluator that says so learns from the images without labels, and they decide its results; of no other do they."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import medssl_bench
from medssl_bench.datasets import DatasetContext
from medssl_bench.plan.build import build_plan
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

PLUGIN = """
from medssl_bench import hookimpl
from medssl_bench.evaluators import Evaluation
from medssl_bench.evaluators.majority import Majority


@hookimpl
def medssl_evaluators(register):
    register("looking", Looking)
    register("blind", Blind)


class Blind(Majority):
    needs = "encoder"

    def evaluate(self, trial):
        found = super().evaluate(trial)
        images = trial.unlabelled
        found.metrics["given"] = -1.0 if images is None else float(images.images.mean())
        return found


class Looking(Blind):
    uses_unlabelled = True
"""

SUITE = """
schema = 1
name = "unlabelled"
plugins = ["mine.py"]
floors = []

[dataset.cells]
name = "phantom_cells"
train = 20
val = 10
test = 20
unlabelled = 30

[[comparison]]
id = "table"
datasets = ["cells"]
labels = [10]
encoder = { name = "timm", model = "test_resnet" }

  [[comparison.arm]]
  name = "looking"
  evaluator = "looking"

  [[comparison.arm]]
  name = "blind"
  evaluator = "blind"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "suite.toml").write_text(SUITE)
    return tmp_path


def keys(folder: Path, old: str, new: str) -> dict[str, str]:
    assert SUITE.count(old) == 1
    (folder / "suite.toml").write_text(SUITE.replace(old, new))
    suite = Suite.load(folder / "suite.toml", load_plugins())
    plan = build_plan(suite, DatasetContext(folder / "data", folder / "cache"))
    return {stage.title.split(" · ")[2]: stage.key for stage in plan.stages.values() if stage.kind == "evaluate"}


def test_those_who_ask_are_given_the_images(folder: Path) -> None:
    medssl_bench.run("suite.toml")

    found = {record.title.split(" · ")[2]: record.metrics["given"] for record in Store(folder / "store").records()}
    registry = load_plugins().registry
    component = registry.resolve_or_raise(
        "dataset", {"name": "phantom_cells", "train": 20, "val": 10, "test": 20, "unlabelled": 30}
    )
    images = registry.build(component, context=DatasetContext(folder, folder)).load_unlabelled().images
    assert found == {"looking": float(np.mean(images)), "blind": -1.0}


def test_other_images_change_the_results_of_those_who_ask(folder: Path) -> None:
    before, more, none = (
        keys(folder, "unlabelled = 30\n", text) for text in ("unlabelled = 30\n", "unlabelled = 31\n", "")
    )
    assert before["blind"] == more["blind"] == none["blind"]
    assert len({before["looking"], more["looking"], none["looking"]}) == 3
