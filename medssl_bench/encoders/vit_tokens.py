"""The tokens of a timm ViT, also of a part of its patches."""

from __future__ import annotations

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor


def tokens_of(
    model: VisionTransformer,
    images: Tensor,
    keep: Tensor | None = None,
    masked: Tensor | None = None,
    mask_token: Tensor | None = None,
) -> Tensor:
    """Return the tokens of images after the last block and its normalisation.

    With no patch left out or replaced, the operations are those of timm's `forward_features`, to the bit.

    Args:
        model: the ViT.
        images: (B, 3, H, W), normalised.
        keep: (B, K) int64, places of the patches that it sees, in the order of the answer; None: all.
        masked: (B, N) bool, patches whose content is replaced; None: none.
        mask_token: (D,) what stands there instead, before the position is added.

    Returns:
        (B, prefix + K, D): the prefix tokens first (class token and registers), then the patches.
    """
    found = model.patch_embed(images)
    if masked is not None and mask_token is not None:
        hidden = masked.view(*found.shape[:-1], 1)  # (B, N, D), or (B, H, W, D) of a dynamic size
        found = torch.where(hidden, mask_token.to(found.dtype), found)
    found = model._pos_embed(found)  # noqa: SLF001 - timm has no public way to the tokens
    if keep is not None:
        prefix = model.num_prefix_tokens
        patches = found[:, prefix:]
        seen = patches.gather(1, keep.unsqueeze(-1).expand(-1, -1, patches.shape[-1]))
        found = torch.cat([found[:, :prefix], seen], dim=1)
    found = model.norm_pre(model.patch_drop(found))
    tokens: Tensor = model.norm(model.blocks(found))
    return tokens
