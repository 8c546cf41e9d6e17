"""DeepCluster (Caron et al. 2018): classify images by the cluster that their features fell into before the epoch."""

from __future__ import annotations

from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from medssl_bench import hookimpl
from medssl_bench.methods import Batch, Images, Method, MethodContext, Progress, View


@hookimpl
def medssl_methods(register):
    register("clusters", clusters)


def clusters(encoder: nn.Module, context: MethodContext, *, count: Annotated[int, Field(ge=2)] = 16) -> Method:
    """DeepCluster: k-means on the features of all images gives the classes of an epoch.

    Args:
        count: number of clusters.
    """
    return Clusters(encoder, context.images, min(count, context.images))


class Clusters(Method):
    def __init__(self, encoder: nn.Module, images: int, count: int) -> None:
        super().__init__(encoder)
        self.head = nn.Linear(encoder.dim, count)
        self.register_buffer("centers", torch.zeros(count, encoder.dim))
        self.register_buffer("assigned", torch.zeros(images, dtype=torch.int64))

    def views(self) -> tuple[View]:
        return (View(),)

    @torch.no_grad()
    def on_epoch_start(self, images: Images, progress: Progress) -> None:
        from sklearn.cluster import KMeans

        features = F.normalize(torch.cat([self.encoder(batch.image) for batch in images.batches(256)]).float(), dim=1)
        seed = int(torch.randint(2**31, ()))
        found = KMeans(len(self.centers), n_init=1, random_state=seed).fit(features.cpu().numpy())
        self.centers.copy_(torch.from_numpy(found.cluster_centers_))
        self.assigned.copy_(torch.from_numpy(found.labels_))
        self.head.reset_parameters()  # the clusters have other numbers than before

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:
        logits = self.head(self.encoder(batch.views[0])).float()
        # validation images were not clustered: the nearest centre is theirs
        wanted = self.assigned[batch.index] if self.training else self._nearest(batch.image)
        return F.cross_entropy(logits, wanted), {"agreement": (logits.argmax(dim=1) == wanted).float().mean()}

    def _nearest(self, images: Tensor) -> Tensor:
        return torch.cdist(F.normalize(self.encoder(images).float(), dim=1), self.centers).argmin(dim=1)
