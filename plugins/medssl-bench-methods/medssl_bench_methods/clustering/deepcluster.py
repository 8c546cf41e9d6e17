"""DeepCluster (Caron et al. 2018): classify images by the cluster that their features fell into before the epoch."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Images, Method, Progress, View, gauges, in_float32
from medssl_bench_methods.clustering.kmeans import agreement_of, kmeans, nearest

PASS = 256
"""Images that are encoded at once before an epoch."""


class DeepCluster(Method):
    """An encoder and a linear classifier of clusters.

    Args:
        encoder: images to features.
        images: number of unlabelled images N.
        prototypes: number of clusters K.
        components: of the features, whitened, that are clustered.
    """

    monitor: ClassVar[str | None] = "accuracy"
    recordable = True
    discarded = ("assigned",)
    centers: Tensor
    middle: Tensor
    whitening: Tensor
    assigned: Tensor
    weights: Tensor
    nmi: Tensor

    def __init__(self, encoder: nn.Module, images: int, *, prototypes: int, components: int) -> None:
        super().__init__(encoder)
        length = feature_dim(encoder)
        components = min(components, length)
        self.head = nn.Linear(length, prototypes)
        self.register_buffer("middle", torch.zeros(length))
        self.register_buffer("whitening", torch.zeros(length, components))
        self.register_buffer("centers", torch.zeros(prototypes, components))
        self.register_buffer("assigned", torch.zeros(images, dtype=torch.int64))
        self.register_buffer("weights", torch.ones(prototypes))
        self.register_buffer("nmi", torch.zeros(()))

    def views(self) -> tuple[View]:
        """Return one view of the recipe's augmentation."""
        return (View(),)

    @torch.no_grad()
    def on_epoch_start(self, images: Images, progress: Progress) -> None:
        """Cluster all images, and let the classifier begin anew: clusters have other numbers than before."""
        features = torch.cat([self.encoder(batch.image).float() for batch in images.batches(PASS)])
        middle, matrix = whitening(features, self.whitening.shape[1])
        self.middle.copy_(middle)
        self.whitening.copy_(matrix)
        count = len(self.centers)
        centers, assigned = kmeans(self._reduced(features), count)
        self.nmi.copy_(agreement_of(self.assigned, assigned, count) if progress.step else torch.zeros(()))
        self.centers.copy_(centers)
        self.assigned.copy_(assigned)
        self.weights.copy_(len(assigned) / (count * torch.bincount(assigned, minlength=count)))
        self.head.reset_parameters()

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, the gauges, how often the cluster is right, and how alike two epochs' clusters are."""
        features = self.encoder(batch.views[0])
        logits = self.head(features).float()
        # images that were not clustered are of the nearest centre
        wanted = self.assigned[batch.index] if self.training else self._nearest(batch.image)
        with in_float32(logits.device):
            loss = (F.cross_entropy(logits, wanted, reduction="none") * self.weights[wanted]).mean()
        told = (logits.argmax(dim=1) == wanted).float().mean()
        return loss, gauges(features, training=self.training) | {"accuracy": told, "nmi": self.nmi.clone()}

    def _reduced(self, features: Tensor) -> Tensor:
        """Return features as they are clustered: whitened components, of length 1."""
        return F.normalize((features - self.middle) @ self.whitening, dim=1)

    def _nearest(self, images: Tensor) -> Tensor:
        features = self.encoder(images).float()
        with in_float32(images.device):
            return nearest(self._reduced(features), self.centers)


@torch.no_grad()
def whitening(features: Tensor, components: int) -> tuple[Tensor, Tensor]:
    """Return the mean of features, and the matrix that makes their largest components uncorrelated, of variance 1.

    Args:
        features: (N, D) float32.
        components: how many.

    Returns:
        (D,) and (D, `components`). Components of almost no variance are not blown up.
    """
    middle = features.mean(dim=0)
    centered = (features - middle).double()
    variances, directions = torch.linalg.eigh(centered.T @ centered / len(features))
    variances, directions = variances[-components:], directions[:, -components:]
    scale = variances.clamp(min=max(1e-6 * float(variances[-1]), 1e-12)).rsqrt()
    return middle, (directions * scale).float()
