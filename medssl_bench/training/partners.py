"""Partners of images: for each, another image of its group (of the same patient, say)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medssl_bench.errors import StageError
from medssl_bench.randomness import generator
from medssl_bench.training.images import DeviceImages


@dataclass(frozen=True)
class Partners:
    """Draws a partner for every image.

    Attributes:
        members: (N,) places of the images, group by group.
        place: (N,) of each image its place in `members`.
        first: (N,) where the group of each image begins in `members`.
        count: (N,) number of images in the group of each.
    """

    members: NDArray[np.int64]
    place: NDArray[np.int64]
    first: NDArray[np.int64]
    count: NDArray[np.int64]

    @classmethod
    def of(cls, groups: NDArray[np.int64] | None, images: int) -> Partners:
        """Return the partners of images.

        Args:
            groups: (N,) which images belong together.
            images: how many there are.

        Raises:
            StageError: the images have no groups.
        """
        if groups is None:
            if images:
                raise StageError(
                    "the method asks for views of two images of one group (a patient, say), and the data set gives no "
                    "groups; say which images belong together: `groups` of a folder, `group` of a table, `per_patient` "
                    "of phantoms, or arrays such as `train_groups` of an npz file"
                )
            groups = np.empty(0, np.int64)
        _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        group = group.reshape(-1)
        members = np.argsort(group, kind="stable")
        place = np.empty(len(members), np.int64)
        place[members] = np.arange(len(members))
        starts = np.cumsum(sizes) - sizes
        return cls(members, place, starts[group], sizes[group])

    def draw(self, purpose: str, *, seed: int, epoch: int) -> NDArray[np.int64]:
        """Return the place of each image's partner, (N,): each other image of its group is as likely.

        An image that is alone in its group is its own partner.

        Args:
            purpose: of the random stream.
            seed: of the training.
            epoch: every epoch has partners of its own.
        """
        others = generator(purpose, seed=seed, epoch=epoch).integers(0, np.maximum(1, self.count - 1))
        within = self.place - self.first
        return self.members[self.first + (within + 1 + others) % self.count]


class PairedImages:
    """The images of a split batch by batch, with the images of their partners where they are wanted.

    Args:
        images: of the split.
        purpose: of the partners' random stream.
        seed: of the training.
        wanted: whether partners are.

    Raises:
        StageError: they are, and the images have no groups.
    """

    def __init__(self, images: DeviceImages, purpose: str, seed: int, *, wanted: bool) -> None:
        self._images = images
        self._purpose = purpose
        self._seed = seed
        groups = None if images.groups is None else images.groups.cpu().numpy()
        self._partners = Partners.of(groups, len(images)) if wanted else None

    def stream(self, batches: Sequence[Tensor], epoch: int) -> Iterator[tuple[Tensor, tuple[Tensor, ...]]]:
        """Yield batch after batch, without waiting for the device.

        Args:
            batches: places of the images of each, (B,) int64 on the processor.
            epoch: every epoch has partners of its own.

        Yields:
            The places on the device, and the images, (B, 3, H, W) float32 in [0, 1]; then those of their partners.
        """
        if self._partners is None:
            for index, images in self._images.stream(batches):
                yield index, (images,)
            return
        drawn = torch.from_numpy(self._partners.draw(self._purpose, seed=self._seed, epoch=epoch))
        others = self._images.stream([drawn[batch] for batch in batches])
        for (index, images), (_, partners) in zip(self._images.stream(batches), others, strict=True):
            yield index, (images, partners)
