"""A plugin whose augmentations, ops, data sets and executors are broken, each in its own way."""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from medssl_bench import hookimpl
from medssl_bench.augmentations import Op
from medssl_bench.datasets import Dataset, DatasetInfo, Split, Task
from medssl_bench.executors.local import LocalExecutor
from medssl_bench.plugin.watching import Outcome


class _View(nn.Module):
    def __init__(self, change, size):
        super().__init__()
        self.change = change
        self.size = size

    def forward(self, images):
        changed = self.change(images)
        return changed if self.size is None else nn.functional.adaptive_avg_pool2d(changed, self.size)


def _augmentation(change, resizes=True):
    def factory(size: int):
        """Broken."""
        return _View(change, size if resizes else None)

    return factory


_count = iter(range(10**9))


def undocumented(size: int, *, blur: float = 1.0):
    return _View(lambda images: images, size)


def exits(size: int):
    """Ends the process."""
    sys.exit(0)


def no_module(size: int):
    """Is a function."""
    return lambda images: images


class Loud(Op):
    def transform(self, images, uniforms):
        return images * 2


def loud(size: int):
    """Leaves [0, 1]."""
    return Loud()


class Own(Op):
    def transform(self, images, uniforms):
        return images * torch.rand(len(images), 1, 1, 1)


def own(size: int):
    """Draws its own numbers."""
    return Own()


class _Dataset(Dataset):
    def __init__(self, mode):
        self.mode = mode
        self.labels = np.int32 if mode == "narrow" else np.int64

        self.loaded = False

    def info(self):
        counts = {"train": 6, "val": 2, "test": 4 if self.mode != "counts" else 5}
        title = "another" if self.mode == "story" and self.loaded else "broken"
        return DatasetInfo(title, Task.BINARY, ("a", "b"), 1, 8, counts)

    def fingerprint(self):
        if self.mode == "late":
            return "other" if self.loaded else "fixed"
        return str(next(_count)) if self.mode == "fingerprint" else "fixed"

    def load(self):
        self.loaded = True
        if self.mode == "global":
            np.random.rand()  # noqa: NPY002
        shade = next(_count) if self.mode == "content" else 0
        label = 2 if self.mode == "labels" else 1
        kind = np.float32 if self.mode == "dtype" else np.uint8
        splits = {}
        for first, (name, count) in zip((0, 6, 8), (("train", 6), ("val", 2), ("test", 4)), strict=True):
            images = np.full((count, 8, 8), shade % 200)
            images[:, 0, 0] = first + np.arange(count)  # no two are the same
            splits[name] = Split(images.astype(kind), np.full((count, 1), label, self.labels))
        return splits


def _dataset(mode):
    def factory(context):
        """Broken."""
        return _Dataset(mode)

    return factory


class _Executor(LocalExecutor):
    def __init__(self, mode):
        super().__init__()
        self.mode = mode

    def run(self, job):
        if self.mode == "idle":
            return [Outcome(stage.info(), "done") for stage in job.stages]
        outcomes = super().run(job)
        if self.mode == "stops" and any(outcome.status != "done" for outcome in outcomes):
            return [Outcome(outcome.stage, "failed", reason="another failed") for outcome in outcomes]
        return outcomes[1:] if self.mode == "forgets" else outcomes


def _executor(mode):
    def factory():
        """Broken."""
        return _Executor(mode)

    return factory


def needs_a_path(context, *, path: Path):
    """Fine, but for the parameter it needs.

    Args:
        path: a file.
    """
    return _Dataset("fine")


@hookimpl
def medssl_augmentations(register):
    register("wrong-size", _augmentation(lambda images: images[..., :9, :9], resizes=False))
    register("out-of-range", _augmentation(lambda images: images * 2))
    register("writes", _augmentation(lambda images: images.mul_(0.5)))
    register("not-repeatable", _augmentation(lambda images: (images + next(_count) * 1e-3).clamp(0, 1)))
    register("half", _augmentation(lambda images: images.half(), resizes=False))
    register("not-a-number", _augmentation(lambda images: images / 0))
    register("layout", _augmentation(lambda images: images.view(len(images), -1).view(images.shape)))
    register("exits", exits)
    register("no-module", no_module)
    register("undocumented", undocumented)
    register("missing", "no_such_module:factory")


@hookimpl
def medssl_ops(register):
    register("loud", loud)
    register("own", own)


@hookimpl
def medssl_datasets(register):
    for mode in ("counts", "fingerprint", "late", "story", "content", "labels", "narrow", "dtype", "global"):
        register(mode, _dataset(mode))
    register("needs-a-path", needs_a_path)


@hookimpl
def medssl_executors(register):
    for mode in ("idle", "forgets", "stops"):
        register(mode, _executor(mode))
