"""The features of a vision transformer from its tokens."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from medssl_bench.errors import StageError

Pooling = Literal["cls", "mean", "cls_mean"]


def check_pooling(model: nn.Module, pooling: Pooling, name: str) -> None:
    """Require that a model has the tokens that a pooling takes.

    Args:
        model: of timm.
        pooling: see `pooled`.
        name: timm's name of the model, for the message.

    Raises:
        StageError: it has no tokens, or no class token.
    """
    if not hasattr(model, "num_prefix_tokens") or not hasattr(model, "forward_head"):
        raise StageError(f"timm model {name!r}: pooling is for vision transformers, and this one has no tokens")
    if "cls" in pooling and getattr(model, "cls_token", None) is None:
        raise StageError(f'timm model {name!r}: it has no class token; write pooling = "mean"')


def pooled(model: Any, tokens: Tensor, pooling: Pooling) -> Tensor:
    """Return features of tokens, whatever the model would pool itself.

    Each part is what timm's own ``forward_head`` gives with ``global_pool`` ``token`` or ``avg``: where a model has its
    last normalisation behind the pooling (``fc_norm``), it is applied to each part.

    Args:
        model: a vision transformer of timm.
        tokens: (B, prefix + N, D) of its ``forward_features``.
        pooling: ``cls``, the class token; ``mean``, the mean of the patches' tokens, without class token and registers;
            ``cls_mean``, one after the other, as DINOv2 (Oquab et al. 2024) and Virchow2 are probed.

    Returns:
        (B, D), or (B, 2 D) of ``cls_mean``.
    """
    parts = []
    if pooling != "mean":
        parts.append(tokens[:, 0])
    if pooling != "cls":
        parts.append(tokens[:, model.num_prefix_tokens :].mean(dim=1))
    norm = getattr(model, "fc_norm", None)
    return torch.cat([part if norm is None else norm(part) for part in parts], dim=1)
