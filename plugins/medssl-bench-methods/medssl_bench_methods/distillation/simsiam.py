"""SimSiam (Chen and He 2021): two views predict each other's projections, and no gradient passes through those."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Method, Progress, View, gauges
from medssl_bench_methods.distillation.cosine import mean_cosine
from medssl_bench_methods.heads import mlp


class SimSiam(Method):
    """An encoder, a projection head and a predictor.

    Args:
        encoder: images to features.
        hidden: width of the head's hidden layer.
        projection: length of the projections.
        bottleneck: width of the predictor's hidden layer.
        constant_rate: whether the predictor's learning rate follows no schedule.
    """

    monitor: ClassVar[str | None] = "agreement"
    recordable = True

    def __init__(
        self, encoder: nn.Module, *, hidden: int, projection: int, bottleneck: int, constant_rate: bool
    ) -> None:
        super().__init__(encoder)
        self.head = mlp([feature_dim(encoder), hidden, projection], last_normalized=True, last_affine=False)
        self.predictor = mlp([projection, bottleneck, projection])
        self.constant_rate = constant_rate

    def views(self) -> tuple[View, View]:
        """Return two views of the recipe's augmentation."""
        return View(), View()

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Return the predictor's parameters, whose learning rate may stay as it is, and all others."""
        if not self.constant_rate:
            return super().parameter_groups(weight_decay)
        trained = [*self.encoder.parameters(), *self.head.parameters()]
        others = [parameter for parameter in trained if parameter.requires_grad]
        own = list(self.predictor.parameters())
        return [
            {"params": others, "weight_decay": weight_decay},
            {"params": own, "weight_decay": weight_decay, "constant_lr": True},
        ]

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss and the gauges."""
        first, second = (self.head(self.encoder(view)) for view in batch.views)
        loss = -(mean_cosine(self.predictor(first), second) + mean_cosine(self.predictor(second), first)) / 2
        return loss, gauges(first, second, training=self.training)
