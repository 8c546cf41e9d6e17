"""A data set whose test images are corrupted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from medssl_bench.datasets import Dataset, DatasetInfo, Images, Split, Splits
from medssl_bench.errors import DataError
from medssl_bench.randomness import stream
from medssl_bench_methods.shift.derived import Derived

_AT_ONCE = 512


class Corrupted(Derived):
    """A data set with corrupted test images.

    Args:
        base: the data set.
        corruption: makes the augmentation that corrupts, ``(size=) -> nn.Module``.
        seed: of its draws.
    """

    def __init__(self, base: Dataset, corruption: Callable[..., Any], seed: int) -> None:
        super().__init__([base])
        self.corruption = corruption
        self.seed = seed

    def described(self, infos: Sequence[DatasetInfo]) -> DatasetInfo:
        """Return what is known of the data set; its title says that it is corrupted."""
        (base,) = infos
        return replace(base, title=f"{base.title}, corrupted", generated=base.generated, files=None)

    def load(self) -> Splits:
        """Read the data set, and corrupt its test images.

        Raises:
            DataError: the corruption changes the size of images.
        """
        splits = self.bases[0].load()
        test = splits["test"]
        return {**splits, "test": replace(test, images=self._corrupted(test))}

    def load_unlabelled(self) -> Images:
        """Read the images without labels, as they are."""
        return self.bases[0].load_unlabelled()

    def _corrupted(self, test: Split) -> np.ndarray[Any, np.dtype[np.uint8]]:
        import torch  # plans are made without it

        from medssl_bench.augmentations.views import draw_view
        from medssl_bench.training.images import DeviceImages

        module = self.corruption(size=test.images.shape[1])
        is_grey = test.images.ndim == 3
        found = []
        places = torch.arange(len(test)).split(_AT_ONCE)
        for number, (_, images) in enumerate(DeviceImages(test, torch.device("cpu")).stream(places)):
            views = draw_view(module, images, stream("corruption", seed=self.seed, batch=number))
            if views.shape != images.shape:
                sides = images.shape[-1], views.shape[-1]
                raise DataError("corrupted: the corruption makes images of {} pixels ones of {}".format(*sides))
            if is_grey:  # it stays grey: the mean of what became coloured
                views = views.mean(dim=1, keepdim=True)
            values = (views * 255).round().clamp(0, 255).to(torch.uint8)
            found.append((values[:, 0] if is_grey else values.permute(0, 2, 3, 1)).numpy())
        return np.concatenate(found) if found else test.images
