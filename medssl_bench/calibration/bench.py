"""What measuring needs: a small suite on generated images, its plan, and a store that is thrown away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from medssl_bench.costs.units import Work
from medssl_bench.datasets import DatasetContext, Splits
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.plan.kinds.pretrain import PretrainSpec
from medssl_bench.plan.selection import Selection
from medssl_bench.plan.stage import Plan, Stage
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.manager import Plugins
from medssl_bench.stages.workshop import LoadedDataset, Workshop
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

IMAGES = 256
"""Training images, and the largest batch that is measured."""

_SUITE = f"""
schema = 1
name = "calibration"
floors = ["majority", "untrained"]

[dataset.cells]
name = "phantom_cells"
train = {IMAGES}
val = {IMAGES}
test = {IMAGES}

[pretraining.simclr]
augmentation = "plain"
epochs = 1

[[comparison]]
id = "calibration"
datasets = ["cells"]
labels = [{IMAGES}]
baseline = "finetune"

  [[comparison.arm]]
  name = "finetune"
  evaluator = "finetune"

  [[comparison.arm]]
  name = "probe"
  pretraining = ["simclr"]
  evaluator = "linear_probe"
"""


@dataclass(frozen=True)
class Bench:
    """What is measured on: ResNet-18, images of 28 pixels.

    Attributes:
        plan: of a pretraining, a fine-tuning, a probe and the floors.
        workshop: with an empty store of its own.
        data: the images.
    """

    plan: Plan
    workshop: Workshop
    data: LoadedDataset

    def stage(self, kind: str, words: str = "") -> Stage:
        """Return the stage of a kind whose title holds some words."""
        return next(stage for stage in self.plan.stages.values() if stage.kind == kind and words in stage.title)

    @property
    def pretraining(self) -> PretrainSpec:
        """What the pretraining is given."""
        return self.plan.spec(self.stage("pretrain").key, PretrainSpec)

    def evaluator(self, words: str) -> Component:
        """Return the evaluator of the evaluation whose title holds some words."""
        return self.plan.spec(self.stage("evaluate", words).key, EvaluateSpec).evaluator

    def splits(self, count: int) -> Splits:
        """Return the first images of each split."""
        return Splits({name: split.at(slice(count)) for name, split in self.data.splits.items()})


@contextmanager
def bench(plugins: Plugins, device: torch.device) -> Iterator[Bench]:
    """Make a bench, and throw it away at the end of the block."""
    with TemporaryDirectory(prefix="medssl-bench-") as folder:
        file, store = Path(folder) / "calibration.toml", Store(Path(folder) / "store")
        file.write_text(_SUITE, "utf-8")
        context = DatasetContext(Path(folder), Path(folder))
        plan = build_plan(Suite.load(file, plugins), context, Selection())
        store.prepare()
        workshop = Workshop(plugins.registry, store, context, device)
        spec = next(iter(plan.stages.values())).spec.dataset
        yield Bench(plan, workshop, workshop.dataset(spec))


class Enough(Exception):
    """Stops a training whose steps have been timed often enough."""


class Timer:
    """Takes the times of something that is done again and again.

    The first does not count: it warms up. Of the others a low one does: what else the machine does makes some longer,
    and none shorter.

    Args:
        least: how many at least, beside the first.
        most: how many at most.
        most_seconds: after which no more are needed than the least; after five times as many, one is enough.
    """

    def __init__(self, *, least: int = 3, most: int = 1000, most_seconds: float = 0.3) -> None:
        self._least, self._most, self._seconds = least, most, most_seconds
        self._times: list[float] = []

    def add(self, seconds: float) -> None:
        """Take a time.

        Raises:
            Enough: there are enough.
        """
        self._times.append(seconds)
        count = len(self._times) - 1
        total = sum(self._times)
        least = self._least if total <= 5 * self._seconds else 1
        if count >= self._most or (count >= least and total > self._seconds):
            raise Enough

    def low(self) -> float:
        """Return the lower quartile of the times, in seconds."""
        return float(torch.tensor(self._times[1:], dtype=torch.float64).quantile(0.25))


def measured(work: Callable[[], object], device: torch.device, timer: Timer | None = None) -> float:
    """Return the seconds that some work takes.

    Args:
        work: what to do, again and again.
        device: where it is done; it is waited for.
        timer: says how often; None: as a new one does.
    """
    timer = timer or Timer()
    with suppress(Enough):
        while True:
            start = time.perf_counter()
            work()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            timer.add(time.perf_counter() - start)
    return timer.low()


def line(unit: str, each: str, few: tuple[int, float], many: tuple[int, float]) -> Work:
    """Return what a step and an image cost, from the seconds of a step of few images and of one of many.

    Args:
        unit: name of the step.
        each: name of the image.
        few: images, and seconds.
        many: images, and seconds.
    """
    slope = max((many[1] - few[1]) / (many[0] - few[0]), 0.0)
    return {each: slope, unit: max(few[1] - few[0] * slope, 0.0)}
