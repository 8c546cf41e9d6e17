"""An encoder that ends with the first layer of a projection head, as SimCLRv2 keeps it (Chen et al. 2020, sec. 2)."""

from __future__ import annotations

from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.encoders.recordable import is_recordable


class Headed(nn.Module):
    """An encoder, a linear layer, batch normalisation and ReLU.

    Attributes:
        dim: length of the features.
        recordable: whether a training step can be recorded: as that of the base.

    Args:
        base: images to features.
        width: length of the features of the whole; None: that of the base.
    """

    def __init__(self, base: nn.Module, width: int | None) -> None:
        super().__init__()
        self.base = base
        self.dim = width or feature_dim(base)
        self.recordable = is_recordable(base)
        self.layer = nn.Sequential(
            nn.Linear(feature_dim(base), self.dim, bias=False), nn.BatchNorm1d(self.dim), nn.ReLU()
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the features (B, dim) of images (B, 3, H, W) in [0, 1]."""
        features: Tensor = self.layer(self.base(images))
        return features
