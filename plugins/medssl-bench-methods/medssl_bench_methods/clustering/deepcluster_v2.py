"""DeepCluster-v2 (Caron et al. 2020, SwAV's appendix): the classifier of an epoch is the centroids themselves."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Images, Method, Progress, View, gauges, in_float32
from medssl_bench_methods.clustering.deepcluster import PASS
from medssl_bench_methods.clustering.kmeans import agreement_of, kmeans, nearest
from medssl_bench_methods.heads import mlp
from medssl_bench_methods.use import used


class DeepClusterV2(Method):
    """An encoder, a projection head, the last projection of every image, and their centroids.

    Args:
        encoder: images to features.
        images: number of unlabelled images N.
        prototypes: number of clusters K.
        hidden: width of the head's hidden layer.
        projection: length of the projections.
        temperature: cosines with centroids are divided by it.
    """

    monitor: ClassVar[str | None] = "agreement"
    recordable = True
    discarded = ("bank", "assigned")
    bank: Tensor
    centers: Tensor
    assigned: Tensor
    nmi: Tensor

    def __init__(
        self, encoder: nn.Module, images: int, *, prototypes: int, hidden: int, projection: int, temperature: float
    ) -> None:
        super().__init__(encoder)
        self.head = mlp([feature_dim(encoder), hidden, projection])
        self.temperature = temperature
        self.register_buffer("bank", torch.zeros(images, projection))
        self.register_buffer("centers", torch.zeros(prototypes, projection))
        self.register_buffer("assigned", torch.zeros(images, dtype=torch.int64))
        self.register_buffer("nmi", torch.zeros(()))

    def views(self) -> tuple[View, View]:
        """Return two views of the recipe's augmentation."""
        return View(), View()

    @torch.no_grad()
    def on_epoch_start(self, images: Images, progress: Progress) -> None:
        """Cluster the last projections of all images; before the first step, those of the images themselves."""
        if not progress.step:
            self.bank.copy_(torch.cat([self._projected(batch.image) for batch in images.batches(PASS)]))
        count = len(self.centers)
        centers, assigned = kmeans(self.bank, count, spherical=True)
        self.nmi.copy_(agreement_of(self.assigned, assigned, count) if progress.step else torch.zeros(()))
        self.centers.copy_(centers)
        self.assigned.copy_(assigned)

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, the gauges, the share of the clusters that images choose, and how alike two epochs' are."""
        projections = self.head(self.encoder(torch.cat(batch.views))).float()
        first, second = projections.chunk(2)
        # images that were not clustered are of the nearest centroid
        wanted = self.assigned[batch.index] if self.training else self._nearest(batch.image)
        with in_float32(projections.device):
            cosines = F.normalize(projections, dim=1) @ self.centers.T
            loss = F.cross_entropy(cosines / self.temperature, wanted.repeat(2))
        if self.training:
            self.bank.index_copy_(0, batch.index, F.normalize(first.detach(), dim=1))
        found = gauges(first, second, training=self.training)
        return loss, found | {"used": used(cosines[: len(first)].detach()), "nmi": self.nmi.clone()}

    def _projected(self, images: Tensor) -> Tensor:
        return F.normalize(self.head(self.encoder(images)).float(), dim=1)

    def _nearest(self, images: Tensor) -> Tensor:
        projections = self._projected(images)
        with in_float32(images.device):
            return nearest(projections, self.centers)
