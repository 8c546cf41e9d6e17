"""A codebook of visual words: k-means of the descriptors of all images, once, before the first epoch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from medssl_bench.errors import StageError
from medssl_bench.methods import Batch, Images, Method, Progress, View, in_float32
from medssl_bench_methods.clustering.kmeans import kmeans, nearest
from medssl_bench_methods.handmade.sift_words import SiftWords

PASS = 256
"""Images whose descriptors are computed at once."""


class Codebook(Method):
    """Words for an encoder that counts them. Its loss trains nothing.

    Args:
        encoder: with words.
        descriptors: of all images, at most so many are clustered.
        iterations: of Lloyd's algorithm.

    Raises:
        StageError: the encoder has no words.
    """

    recordable = True

    def __init__(self, encoder: nn.Module, *, descriptors: int, iterations: int) -> None:
        if not isinstance(encoder, SiftWords):
            raise StageError(f"codebook fits words, which {type(encoder).__name__} has not: take sift_words")
        super().__init__(encoder)
        self._most, self._iterations = descriptors, iterations

    def views(self) -> tuple[View]:
        """Return one view, which the loss is measured on."""
        return (View(),)

    @torch.no_grad()
    def on_epoch_start(self, images: Images, progress: Progress) -> None:
        """Fit the words to descriptors of the un-augmented images, before the first epoch alone.

        Raises:
            StageError: there are fewer descriptors than words.
        """
        if progress.epoch:
            return
        points = torch.cat([self._some(batch.image, len(images)) for batch in images.batches(PASS)])
        words = self._bag.words
        if len(points) < len(words):
            raise StageError(f"codebook: {len(points)} descriptors cannot fill words = {len(words)}")
        with in_float32(points.device):
            centers, _ = kmeans(points, len(words), iterations=self._iterations)
        words.copy_(centers)

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the mean squared distance of descriptors of a view to their nearest word, and no metrics."""
        points, words = self._bag.descriptors(batch.views[0]), self._bag.words
        with in_float32(points.device):
            return (points - words[nearest(points, words)]).square().sum(dim=1).mean(), {}

    @property
    def _bag(self) -> SiftWords:
        assert isinstance(self.encoder, SiftWords)
        return self.encoder

    def _some(self, images: Tensor, total: int) -> Tensor:
        """Return descriptors of images, so many that those of `total` images are not more than are clustered."""
        found = self._bag.descriptors(images)
        share = max(1, self._most * len(images) // total)
        return found if len(found) <= share else found[torch.randperm(len(found))[:share].to(found.device)]
