"""Masked reconstruction in the way of SimMIM (Xie et al. 2022): the encoder must tell what hidden patches hold."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from medssl_bench import hookimpl
from medssl_bench.errors import StageError
from medssl_bench.methods import Batch, Method, MethodContext, Progress, View


@hookimpl
def medssl_methods(register):
    register("masked", masked)


def masked(
    encoder: nn.Module,
    context: MethodContext,
    *,
    patch: Annotated[int, Field(ge=1)] = 4,
    hidden: Annotated[float, Field(gt=0, lt=1)] = 0.5,
) -> Method:
    """Masked reconstruction: a linear decoder makes the whole image of the features; hidden patches are compared.

    Args:
        patch: side of a patch in pixels; it must divide the size of the views.
        hidden: part of the patches that is hidden.
    """
    if context.size % patch:
        raise StageError(f"a patch of {patch} does not divide views of {context.size} pixels")
    return Masked(encoder, context.size, patch, hidden)


class Masked(Method):
    def __init__(self, encoder: nn.Module, size: int, patch: int, hidden: float) -> None:
        super().__init__(encoder)
        self.recordable = True
        self.size, self.patch, self.hidden = size, patch, hidden
        self.decoder = nn.Linear(encoder.dim, 3 * size * size)
        self.mask_value = nn.Parameter(torch.full((3, 1, 1), 0.5))

    def views(self) -> tuple[View]:
        return (View(intensity=False),)

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:
        (view,) = batch.views
        mask = self.draw_mask(len(view), view.device)
        features = self.encoder(torch.where(mask, self.mask_value, view))
        drawn = self.decoder(features).view(-1, 3, self.size, self.size).float()
        difference = (drawn - view).abs() * mask
        return difference.sum() / (3 * mask.sum()), {}

    def draw_mask(self, count: int, device: torch.device) -> Tensor:
        """Return (count, 1, size, size) bool: the same number of patches is hidden in every image."""
        side = self.size // self.patch
        rank = torch.rand(count, side * side, device=device).argsort(dim=1).argsort(dim=1)
        patches = (rank < round(self.hidden * side * side)).view(count, 1, side, side)
        return patches.repeat_interleave(self.patch, dim=2).repeat_interleave(self.patch, dim=3)
