"""The images of a split on the device: uint8 in memory, float in a batch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medssl_bench.datasets import Split
from medssl_bench.methods.base import Batch


def evaluation_batch(size: int) -> int:
    """Return how many images of `size` pixels are predicted at once: 512 of 28 pixels, or about as many pixels."""
    return max(8, min(512, 512 * 28**2 // size**2))


class DeviceImages:
    """Images held as uint8 on the device; grey ones keep one channel there and are expanded in each batch.

    Args:
        split: the images.
        device: where to hold them.
        places: which of them, (n,) int64; None: all. Batches count from 0 within these.
    """

    def __init__(self, split: Split, device: torch.device, places: NDArray[np.int64] | None = None) -> None:
        if places is not None and np.array_equal(places, np.arange(len(split))):
            places = None  # no copy of a set that may be large
        images = split.images if places is None else split.images[places]
        groups = split.groups if places is None or split.groups is None else split.groups[places]
        self.device = device
        self.pixels = _held(images, device)
        self.groups = None if groups is None else _held(groups, device)

    def __len__(self) -> int:
        """Return the number of images N."""
        return len(self.pixels)

    @property
    def size(self) -> int:
        """Side of the images in pixels."""
        return int(self.pixels.shape[1])

    def take(self, index: Tensor) -> Tensor:
        """Return images as a batch.

        Args:
            index: (B,) int64 on the device.

        Returns:
            (B, 3, H, W) float32 in [0, 1]; channels last in memory for RGB images.
        """
        batch = self.pixels.index_select(0, index).to(torch.float32).div_(255)
        if batch.ndim == 3:
            return batch[:, None].expand(-1, 3, -1, -1)
        return batch.permute(0, 3, 1, 2)

    def batch(self, index: Tensor, views: tuple[Tensor, ...] = (), images: Tensor | None = None) -> Batch:
        """Return what a method is given of some images."""
        groups = None if self.groups is None else self.groups[index]
        return Batch(views, self.take(index) if images is None else images, index, groups)

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield every image once, in order, without views."""
        for index in torch.arange(len(self), device=self.device).split(size):
            yield self.batch(index)


def _held(array: NDArray[Any], device: torch.device) -> Tensor:
    """Return an array as a tensor; it may be read-only, as large sets are mapped into memory: none is written to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)
