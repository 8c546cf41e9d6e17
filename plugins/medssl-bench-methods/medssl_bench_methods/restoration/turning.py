"""Rotation (Gidaris et al. 2018): how far was an image turned?"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.augmentations.ops import Rotate90
from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Method, Progress, View, gauges

_TURNS = 4


def turned(images: Tensor, turns: Tensor) -> Tensor:
    """Return square images (B, C, H, H), each turned counter-clockwise by its number (B,) of quarter turns."""
    return Rotate90().transform(images, (turns[:, None] + 0.5) / _TURNS)


class Rotation(Method):
    """An encoder, and a linear layer from its features to the four turns.

    Args:
        encoder: images to features.
        turns: ``one`` random turn of each image, or ``all`` four.
    """

    monitor: ClassVar[str | None] = "accuracy"
    recordable = True

    def __init__(self, encoder: nn.Module, *, turns: Literal["one", "all"]) -> None:
        super().__init__(encoder)
        self.turns = turns
        self.head = nn.Linear(feature_dim(encoder), _TURNS)

    def views(self) -> tuple[View]:
        """Return one view of the recipe's augmentation."""
        return (View(),)

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, how many turns are right, and the gauges."""
        (view,) = batch.views
        if self.turns == "all":
            turns = torch.arange(_TURNS, device=view.device).repeat_interleave(len(view))
            view = view.repeat(_TURNS, 1, 1, 1)
        else:
            turns = torch.randint(_TURNS, (len(view),), device=view.device)
        features = self.encoder(turned(view, turns))
        logits = self.head(features).float()
        right = (logits.detach().argmax(dim=1) == turns).float().mean()
        return F.cross_entropy(logits, turns), {"accuracy": right, **gauges(features, training=self.training)}
