"""Erase a rectangle of images."""

from __future__ import annotations

from torch import Tensor

from medssl_bench.augmentations.op import Op
from medssl_bench.augmentations.ops.boxes import DRAWS, draw_sides, draw_start, inside


class Erase(Op):
    """Fill a random rectangle (random erasing, Zhong et al. 2020).

    An image in which none of ten drawn rectangles fits passes unchanged, as in torchvision.

    Args:
        scale: least and largest area of the rectangle as a fraction of the image's; uniform.
        ratio: least and largest height divided by width; log-uniform.
        value: what to fill with, in [0, 1].
        p: probability with which an image is changed.
    """

    def __init__(
        self,
        scale: tuple[float, float] = (0.02, 0.33),
        ratio: tuple[float, float] = (0.3, 3.3),
        value: float = 0.0,
        *,
        p: float = 0.5,
    ) -> None:
        super().__init__(p)
        self.scale = scale
        self.ratio = ratio
        self.value = value

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return how many numbers a rectangle needs: its top and left, then its sides."""
        return 2 + DRAWS

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Fill a rectangle in each of (B, C, H, W) images."""
        height, width = images.shape[-2:]
        flat = (1 / self.ratio[1], 1 / self.ratio[0])  # width divided by height
        tall, wide, fits = draw_sides(uniforms[:, 2:], height, width, self.scale, flat, whole=False)
        rows = inside(draw_start(uniforms[:, 0], tall, height), tall, height) & fits[:, None]
        columns = inside(draw_start(uniforms[:, 1], wide, width), wide, width)
        return images.masked_fill((rows[:, :, None] & columns[:, None])[:, None], self.value)
