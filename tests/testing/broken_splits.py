"""A plugin whose data sets have the same images, or groups, in two splits."""

import numpy as np

from medssl_bench import hookimpl
from medssl_bench.datasets import Dataset, DatasetInfo, Split, Task

COUNTS = {"train": 6, "val": 2, "test": 4}


class _Shared(Dataset):
    def __init__(self, one, other, what):
        self.one, self.other, self.what = one, other, what

    def info(self):
        return DatasetInfo("shared", Task.BINARY, ("a", "b"), 1, 8, COUNTS)

    def fingerprint(self):
        return "fixed"

    def load(self):
        numbers, splits = iter(range(100)), {}
        for name, count in COUNTS.items():
            images = np.zeros((count, 8, 8), np.uint8)
            groups = np.array([next(numbers) for _ in range(count)])
            images[:, 0, 0] = groups
            splits[name] = Split(images, np.arange(count)[:, None] % 2, groups)
        one, other = splits[self.one], splits[self.other]
        (one.images if self.what == "images" else one.groups)[-1] = getattr(other, self.what)[0]
        return splits


def _dataset(*shared):
    def factory(context):
        """Broken."""
        return _Shared(*shared)

    return factory


@hookimpl
def medssl_datasets(register):
    register("test-in-train", _dataset("train", "test", "images"))
    register("val-in-test", _dataset("test", "val", "images"))
    register("patient-in-both", _dataset("train", "test", "groups"))
