"""A queue of unit vectors of the latest images, as MoCo keeps keys and NNCLR its support set."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def default_length(images: int) -> int:
    """Return the length that a queue has unless it is said: the power of 2 up to half the images, 4096 at most.

    A queue as long as the data set has older copies of each image, which would count as others.

    Args:
        images: number of unlabelled images, 2 or more.
    """
    return min(4096, int(2 ** math.floor(math.log2(max(images, 2) / 2))))


class Queue(nn.Module):
    """The latest vectors, and the images that they are of; new ones take the place of the oldest.

    Attributes:
        vectors: (Q, d), at first random unit vectors.
        index: (Q,) int64, places of their images in the training set; -1: a random vector.
        oldest: place of the oldest vector.

    Args:
        length: Q.
        width: d.
    """

    vectors: Tensor
    index: Tensor
    oldest: Tensor

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        self.register_buffer("vectors", F.normalize(torch.randn(length, width), dim=1))
        self.register_buffer("index", torch.full((length,), -1))
        self.register_buffer("oldest", torch.zeros((), dtype=torch.int64))

    def now(self) -> Tensor:
        """Return the vectors as they are now: a copy, so that a gradient can be taken after the queue has changed."""
        return self.vectors.clone()

    @torch.no_grad()
    def add(self, vectors: Tensor, index: Tensor) -> None:
        """Put vectors in place of the oldest, around the end; of more than the queue holds the last are kept.

        Args:
            vectors: (B, d) unit vectors.
            index: (B,) the images that they are of.
        """
        newest, images = vectors.detach()[-len(self.vectors) :], index[-len(self.vectors) :]
        places = (self.oldest + torch.arange(len(newest), device=newest.device)) % len(self.vectors)
        self.vectors.index_copy_(0, places, newest)
        self.index.index_copy_(0, places, images)
        self.oldest.add_(len(newest)).remainder_(len(self.vectors))
