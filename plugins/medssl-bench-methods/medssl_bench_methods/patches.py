"""Images as rows of patches, and where patches are."""

from __future__ import annotations

import torch
from torch import Tensor


def patchify(images: Tensor, rows: int) -> Tensor:
    """Return the pixels of patches, row by row of the image, (B, rows * rows, p * p * C).

    Args:
        images: (B, C, H, H).
        rows: patches along each axis; they divide the side.
    """
    count, channels, side, _ = images.shape
    patch = side // rows
    cut = images.view(count, channels, rows, patch, rows, patch)
    return cut.permute(0, 2, 4, 3, 5, 1).reshape(count, rows**2, -1)


def sine_positions(rows: int, width: int) -> Tensor:
    """Return the sine and cosine embedding of the places of patches, (rows * rows, width).

    The first half is the column's, the second the row's, each with wavelengths from 2 pi to 2 pi x 10,000 patches, as
    in the authors' code of MAE (He et al. 2022).

    Args:
        rows: patches along each axis.
        width: length of the embedding, a multiple of 4.
    """
    waves = 10_000 ** -(torch.arange(width // 4, dtype=torch.float64) / (width // 4))
    angles = torch.arange(rows, dtype=torch.float64)[:, None] * waves
    one = torch.cat([angles.sin(), angles.cos()], dim=1)
    column, row = one.repeat(rows, 1), one.repeat_interleave(rows, dim=0)
    return torch.cat([column, row], dim=1).float()
