"""DINO's head: a small network, and prototypes that its normalised output is compared with."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.methods import in_float32


class DINOHead(nn.Module):
    """Three linear layers with GELU between them, normalisation, and K unit prototypes without a bias.

    It is the paper's head without batch normalisation, with ``norm_last_layer``: prototypes have length 1.

    Args:
        features: length of the input.
        hidden: width of the two hidden layers.
        projection: length of what is normalised.
        prototypes: K.
    """

    moves: Tensor

    def __init__(self, features: int, hidden: int, projection: int, prototypes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(features, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, projection)
        )
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)  # as in the paper's code
                nn.init.zeros_(layer.bias)
        self.prototypes = nn.Parameter(torch.randn(prototypes, projection))
        self.register_buffer("moves", torch.ones(()))

    def forward(self, features: Tensor) -> Tensor:
        """Return the cosines with the prototypes, (B, K) float32.

        Args:
            features: (B, D).
        """
        projections = self.layers(features).float()
        weight = torch.lerp(self.prototypes.detach(), self.prototypes, self.moves)
        with in_float32(features.device):
            return F.normalize(projections, dim=1) @ F.normalize(weight, dim=1).T
