"""Context restoration and Models Genesis: the encoder sees a distorted image, a decoder draws the image itself."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.augmentations import Op
from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Method, Progress, View, gauges
from medssl_bench_methods.decoder import Decoder, explained
from medssl_bench_methods.ops.curves import Bezier
from medssl_bench_methods.ops.painting import Inpaint, Outpaint
from medssl_bench_methods.ops.shuffling import LocalShuffle
from medssl_bench_methods.restoration.distorting import distorted


class Restoration(Method):
    """An encoder of distorted images and a decoder; the loss is the mean squared difference to the images.

    Args:
        encoder: images to features.
        distortions: what distorts an image, one after the other.
        size: side of the views in pixels.
        decoder: width of the decoder.
    """

    monitor: ClassVar[str | None] = "explained"
    recordable = True

    def __init__(self, encoder: nn.Module, distortions: list[Op], *, size: int, decoder: int) -> None:
        super().__init__(encoder)
        self.distortions = nn.ModuleList(distortions)
        self.decoder = Decoder(feature_dim(encoder), size, decoder)

    def views(self) -> tuple[View]:
        """Return one view with the geometry alone: its intensities are what is to be restored."""
        return (View(intensity=False),)

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, the share of the images that is restored, and the gauges."""
        (view,) = batch.views
        seen = view
        for op in self.distortions:
            assert isinstance(op, Op)
            seen = distorted(op, seen)
        features = self.encoder(seen)
        drawn = self.decoder(features)
        loss = F.mse_loss(drawn, view.float())
        return loss, {"explained": explained(drawn, view.float()), **gauges(features, training=self.training)}


class Paint(Op):
    """In-painting of an image, or out-painting, never both.

    Args:
        inpaint: probability of in-painting; else it is out-painting.
        p: probability with which an image is painted.
    """

    def __init__(self, inpaint: float, *, p: float) -> None:
        super().__init__(p)
        self.inpaint = inpaint
        self.inside, self.outside = Inpaint(), Outpaint()

    def draws(self, channels: int, height: int, width: int) -> int:
        """Return 1 for the kind, and those of a kind: both need as many."""
        return 1 + self.inside.draws(channels, height, width)

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Paint (B, C, H, W) images; both kinds take the same numbers, as an image has only one of them."""
        inside, outside = (kind.transform(images, uniforms[:, 1:]) for kind in (self.inside, self.outside))
        return torch.where((uniforms[:, 0] < self.inpaint)[:, None, None, None], inside, outside)


def genesis_distortions(*, windows: int, sides: tuple[int, int], rates: tuple[float, float, float, float]) -> list[Op]:
    """Return the distortions of Models Genesis, in the order of the authors' code.

    Args:
        windows: number of windows that are shuffled.
        sides: least and largest side of a window in pixels.
        rates: probabilities of shuffling, of another intensity, of painting, and of in-painting where it is painted.
    """
    shuffle, intensity, paint, inpaint = rates
    return [LocalShuffle(windows, sides, p=shuffle), Bezier(0.5, p=intensity), Paint(inpaint, p=paint)]
