"""A tiny suite that is followed, and what stops a run in its midst."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from medssl_bench import Suite, hookimpl, run
from medssl_bench.training.processor import one_thread

SUITE = """\
schema = 1
name = "followed"
floors = []

[dataset.here]
name = "phantom_cells"
train = 60
val = 20
test = 40

[pretraining.nat]
encoder = { name = "timm", model = "test_resnet" }
augmentation = ["resized_crop", "horizontal_flip"]
epochs = 6
batch_size = 20

[[comparison]]
id = "table"
datasets = ["here"]
labels = [40]
encoder = { name = "timm", model = "test_resnet" }

  [[comparison.arm]]
  name = "frozen | probed"
  pretraining = ["nat"]
  evaluator = { name = "linear_probe", epochs = 10 }
"""

PRETRAINED = "pretrain · nat · here · seed 0"
PROBED = "table · here · frozen | probed · 40 labels · seed 0 · draw 0"


def needs(package: str, extra: str) -> pytest.MarkDecorator:
    """Return the mark of tests of a tracker."""
    return pytest.mark.skipif(
        find_spec(package) is None, reason=f"{package} is not installed: pip install 'medssl-bench-trackers[{extra}]'"
    )


class StopAt:
    """Asks to stop when an epoch has ended, as Ctrl-C would."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    @hookimpl
    def medssl_epoch_ends(self, stage: Any, epoch: Any) -> None:
        if (stage.kind, epoch.index) == ("pretrain", self.epoch):
            raise KeyboardInterrupt


Follow = Callable[..., None]


def follower(folder: Path) -> Follow:
    """Return what runs the suite with some watchers; with `stop` it is stopped after an epoch of the pretraining."""
    (folder / "suite.toml").write_text(SUITE)

    def run_it(*watch: Any, store: Path, stop: int | None = None) -> None:
        suite = Suite.load(folder / "suite.toml")
        seldom = {"name": "local", "checkpoint_seconds": 1000}  # what is stopped begins again: all epochs come again
        if stop is not None:
            suite.plugins.manager.register(StopAt(stop), name="stops")
        try:
            with one_thread():  # quicker for what is so small
                run(suite, store=store, data_dir=folder, device="cpu", executor=seldom, progress=False, watch=watch)
        except KeyboardInterrupt:
            assert stop is not None

    return run_it


def once_each(steps: list[int], epochs: int) -> bool:
    """Return whether a curve has each epoch once, in order."""
    return steps == list(range(epochs))
