"""A separable linear map of images: one matrix for the rows and one for the columns of each image."""

from __future__ import annotations

from torch import Tensor


def separable(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return ``rows @ image @ columns.T`` for every image and channel.

    Cropping, resizing and blurring are such maps. As batched matrix products they are fast on every device at any
    size, with other parameters for each image.

    Args:
        images: (B, C, H, W) in [0, 1].
        rows: (B, H', H); each row of a matrix sums to one.
        columns: (B, W', W), likewise.

    Returns:
        (B, C, H', W') in [0, 1]; clamped, as rounding may leave it by an ulp.
    """
    count, channels, height, width = images.shape
    across = images.reshape(count, channels * height, width) @ columns.mT
    return (rows[:, None] @ across.view(count, channels, height, -1)).clamp_(0, 1)
