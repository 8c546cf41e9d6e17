"""The images of a split on the device: uint8 in memory, float in a batch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medssl_bench.datasets import Images, Split
from medssl_bench.datasets.memory import free_memory
from medssl_bench.methods.base import Batch
from medssl_bench.training.reading_ahead import read_ahead


def evaluation_batch(size: int, encoder: nn.Module) -> int:
    """Return how many images are predicted at once: 512 of 28 pixels, or about as many pixels.

    Of an encoder that enlarges them, which its `input_size` says, at most 64 are seen of 224 pixels, or about as many
    pixels: the memory that they take is that of the maps and tokens in the network.

    Args:
        size: side of the images in pixels.
        encoder: what sees them.
    """
    batch, seen = max(8, min(512, 512 * 28**2 // size**2)), getattr(encoder, "input_size", None)
    return min(batch, max(1, 64 * 224**2 // seen**2)) if isinstance(seen, int) and seen > size else batch


class DeviceImages:
    """Images held as uint8 on the device; grey ones keep one channel there and are expanded in each batch.

    A set that would take more than half of a GPU's free memory stays where it is, in memory or on disk, and is read one
    batch ahead. So does, on a processor, a part of a memory map that would take more than half of the free memory.
    Batches are the same.

    Args:
        split: the images.
        device: where to hold them.
        places: which of them, (n,) int64; None: all. Batches count from 0 within these.
        on_device: whether to hold them there; None: if they fit.
    """

    def __init__(
        self,
        split: Split | Images,
        device: torch.device,
        places: NDArray[np.int64] | None = None,
        *,
        on_device: bool | None = None,
    ) -> None:
        if places is not None and np.array_equal(places, np.arange(len(split))):
            places = None  # no copy of a set that may be large
        self.device = device
        count = len(split) if places is None else len(places)
        size = count * split.images[:1].nbytes
        if on_device is None:
            on_device = _fits(size, device) and not (places is not None and _is_vast_map(split.images, size))
        self.on_device = on_device
        chosen = places is not None and self.on_device
        self._places = None if places is None or chosen else torch.from_numpy(places)
        self._count = count
        self.pixels = _held(split.images[places] if chosen else split.images, device if self.on_device else None)
        groups = split.groups if places is None or split.groups is None else split.groups[places]
        self.groups = None if groups is None else _held(groups, device)
        self.size = int(split.images.shape[1])
        """Side of the images in pixels."""

    def __len__(self) -> int:
        """Return the number of images N."""
        return self._count

    def take(self, index: Tensor) -> Tensor:
        """Return images as a batch.

        Args:
            index: (B,) int64 on the device; of images that are not held there, it is read back.

        Returns:
            (B, 3, H, W) float32 in [0, 1]; channels last in memory for RGB images.
        """
        if self.on_device:
            return _as_batch(self.pixels.index_select(0, index))
        return _as_batch(self._read(index.cpu()).to(self.device))

    def stream(self, batches: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield batch after batch, without waiting for the device.

        Args:
            batches: places of the images of each, (B,) int64 on the processor.

        Yields:
            The places on the device, and the images as of `take`.
        """
        if not batches:
            return
        places = torch.cat(tuple(batches)).to(self.device).split([len(batch) for batch in batches])
        if self.on_device:
            for index in places:
                yield index, self.take(index)
            return
        for index, pixels in zip(places, read_ahead(self._read, batches, self.device), strict=True):
            yield index, _as_batch(pixels)

    def batch(self, index: Tensor, views: tuple[Tensor, ...] = (), images: Tensor | None = None) -> Batch:
        """Return what a method is given of some images."""
        groups = None if self.groups is None else self.groups[index]
        return Batch(views, self.take(index) if images is None else images, index, groups)

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield every image once, in order, without views."""
        for index, images in self.stream(torch.arange(len(self)).split(size)):
            yield self.batch(index, images=images)

    def _read(self, index: Tensor) -> Tensor:
        """Return pixels of images that are not on the device, (B, H, W) or (B, H, W, 3) uint8."""
        return self.pixels.index_select(0, index if self._places is None else self._places[index])


def _as_batch(pixels: Tensor) -> Tensor:
    batch = pixels.to(torch.float32).div_(255)
    if batch.ndim == 3:
        return batch[:, None].expand(-1, 3, -1, -1)
    return batch.permute(0, 3, 1, 2)


def _fits(size: int, device: torch.device) -> bool:
    """Return whether an array of a size in bytes leaves half of a device's free memory to the training."""
    return device.type != "cuda" or size <= torch.cuda.mem_get_info(device)[0] // 2


def _is_vast_map(images: NDArray[np.uint8], size: int) -> bool:
    """Return whether images are read from a file as they are needed, and would take half of the free memory."""
    free = free_memory()
    return isinstance(images, np.memmap) and free is not None and size > free // 2


def _held(array: NDArray[Any], device: torch.device | None) -> Tensor:
    """Return an array as a tensor; it may be read-only, as large sets are mapped into memory: none is written to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(np.ascontiguousarray(array) if device else array).to(device or "cpu")
