"""A new kind of stage is two files: one says what it is and when a plan gets it, the other does it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import medssl_bench
from medssl_bench.plan import kinds as kinds_package
from medssl_bench.plan.kinds import followers, kinds
from medssl_bench.store.store import Store

PLANNED = '''
"""The brightness stage: how bright the images of a data set are."""
from typing import ClassVar

from medssl_bench.plan.spec import Spec


class BrightnessSpec(Spec):
    kind: ClassVar[str] = "brightness"
    does: ClassVar[str] = "medssl_bench.stages.brightness:brightness"

    split: str


def follow(planned, arm, cell, evaluated):
    stage = planned.plan.add_stage(
        f"brightness · {cell.dataset.label}",
        {"dataset": cell.known.identity(), "split": "test"},
        BrightnessSpec(dataset=cell.known.spec, split="test"),
        parents=[],
        pending=cell.known.pending,
        images=0,
    )
    planned.plan.ask_for(stage)


KIND = BrightnessSpec
'''

DONE = """
from medssl_bench.stages.workshop import StageResult


def brightness(stage, workshop, attempt):
    images = workshop.dataset(stage.spec.dataset).splits[stage.spec.split].images
    (attempt.folder / "brightness.txt").write_text(str(images.mean()))
    return StageResult(metrics={"brightness": float(images.mean())})
"""

SUITE = """
schema = 1
name = "bright"
floors = ["majority"]

[[comparison]]
id = "cells"
datasets = [{ name = "phantom_cells", train = 40, val = 20, test = 20 }]
labels = [20]
encoder = { name = "timm", model = "test_resnet" }

  [[comparison.arm]]
  name = "k-NN"
  evaluator = { name = "knn", k = 1 }
"""


@pytest.fixture
def brightness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import medssl_bench.stages

    for package, text in ((kinds_package, PLANNED), (medssl_bench.stages, DONE)):
        folder = tmp_path / package.__name__
        folder.mkdir()
        (folder / "brightness.py").write_text(text, "utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    kinds.cache_clear()
    followers.cache_clear()
    yield
    kinds.cache_clear()
    followers.cache_clear()
    for name in ("medssl_bench.plan.kinds.brightness", "medssl_bench.stages.brightness"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("brightness")
def test_two_files_make_a_kind_of_stage(tmp_path: Path) -> None:
    (tmp_path / "bright.toml").write_text(SUITE, "utf-8")
    result = medssl_bench.run(tmp_path / "bright.toml", store=tmp_path / "store", device="cpu", progress=False)

    assert not result.failed
    store = Store(tmp_path / "store")
    (record,) = (record for record in store.records() if record.kind == "brightness")
    assert 0 < record.metrics["brightness"] < 255
    assert float((store.folder(record.key) / "brightness.txt").read_text()) == record.metrics["brightness"]
    assert record.spec["split"] == "test"
    again = medssl_bench.run(tmp_path / "bright.toml", store=tmp_path / "store", device="cpu", progress=False)
    assert not again.failed
