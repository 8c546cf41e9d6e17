"""Unit prototypes that images are compared with by their cosine."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.methods import Progress, in_float32


class Prototypes(nn.Module):
    """K unit vectors, without a bias, that a gradient moves after the first part of a training.

    Args:
        length: of each.
        count: K.
        frozen: part of the training, in [0, 1], in which no gradient reaches them.
    """

    moves: Tensor

    def __init__(self, length: int, count: int, *, frozen: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(F.normalize(torch.randn(count, length), dim=1))
        self.frozen = frozen
        self.register_buffer("moves", torch.tensor(float(frozen <= 0)))

    def forward(self, projections: Tensor) -> Tensor:
        """Return the cosines of projections with the prototypes, in float32.

        In training the stored prototypes are first made unit vectors again, as in SwAV's code.

        Args:
            projections: (B, d) unit vectors.

        Returns:
            (B, K).
        """
        if self.training:
            self.normalize()
            weight = torch.lerp(self.weight.detach(), self.weight, self.moves)
        else:
            weight = F.normalize(self.weight, dim=1)
        with in_float32(projections.device):
            return projections.float() @ weight.T

    @torch.no_grad()
    def of_earlier(self, projections: Tensor) -> Tensor:
        """Return the cosines of projections of earlier steps with the prototypes of today, without a gradient.

        Args:
            projections: (Q, d) unit vectors, float32.
        """
        with in_float32(projections.device):
            return projections @ F.normalize(self.weight, dim=1).T

    @torch.no_grad()
    def normalize(self) -> None:
        """Make the stored prototypes unit vectors."""
        self.weight.copy_(F.normalize(self.weight, dim=1))

    def after_step(self, progress: Progress) -> None:
        """Let them move from the next step on, if their time has come."""
        self.moves.fill_(float(progress.step + 1 >= self.frozen * progress.total))
