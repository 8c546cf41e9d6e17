"""Distortion of a method's own views, by an op and on numbers of torch's global generators."""

from __future__ import annotations

import torch
from torch import Tensor

from medssl_bench.augmentations import Op


def distorted(op: Op, images: Tensor) -> Tensor:
    """Return images (B, C, H, W) distorted by an op, each on draws of its own."""
    columns = 1 + op.draws(*images.shape[1:])
    return op(images, torch.rand(len(images), columns, device=images.device))
