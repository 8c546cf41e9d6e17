"""Shuffle pixels within small windows, as Models Genesis hides fine texture."""

from __future__ import annotations

import torch
from torch import Tensor

from medssl_bench.augmentations.op import Op
from medssl_bench.augmentations.ops.boxes import draw_start
from medssl_bench_methods.ops.swapping import rearranged


class LocalShuffle(Op):
    """Shuffle the pixels of small windows, one window after the other (Zhou et al. 2019, sec. 3).

    Pixels are moved and none is changed, so the histogram stays. (The authors' code takes every window of the image as
    it was: where windows overlap, it repeats some pixels and loses others.)

    Args:
        windows: number of windows.
        sides: least and largest height and width of a window in pixels, each drawn by itself, within the image.
        p: probability with which an image is changed.
    """

    def __init__(self, windows: int = 10, sides: tuple[int, int] = (2, 5), *, p: float = 0.5) -> None:
        super().__init__(p)
        self.windows = windows
        self.sides = sides

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return, for each window, 4 for its box, and one for each pixel of the largest window."""
        return self.windows * (4 + min(self.sides[1], height, width) ** 2)

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Shuffle windows of each of (B, C, H, W) images."""
        return rearranged(images, shuffle_map(uniforms, self.windows, self.sides, *images.shape[-2:]))


def shuffle_map(uniforms: Tensor, windows: int, sides: tuple[int, int], height: int, width: int) -> Tensor:
    """Return where each pixel comes from after the pixels of windows were shuffled.

    Args:
        uniforms: (B, `LocalShuffle.draws`) in [0, 1).
        windows: number of windows.
        sides: least and largest side of a window in pixels.
        height: of the image in pixels.
        width: of the image in pixels.

    Returns:
        (B, H * W) int64.
    """
    largest = min(sides[1], height, width)
    smallest = min(sides[0], largest)
    drawn = uniforms.view(len(uniforms), windows, -1)
    high = (smallest + drawn[:, :, 0] * (largest - smallest + 1)).floor()
    wide = (smallest + drawn[:, :, 1] * (largest - smallest + 1)).floor()
    top, left = draw_start(drawn[:, :, 2], high, height), draw_start(drawn[:, :, 3], wide, width)

    slots = torch.arange(largest**2, device=uniforms.device)  # the pixels of the largest window
    down, right = slots // largest, slots % largest
    inside = (down < high[..., None]) & (right < wide[..., None])
    outside = torch.where(inside, 0.0, 2.0)
    in_order = (outside + slots / largest**2).argsort(dim=2)  # the slots of the window first
    shuffled = (outside + torch.where(inside, drawn[:, :, 4:], slots / largest**2)).argsort(dim=2)
    # Slots beyond the window keep their pixels; those beyond the image wrap around, so that each has a pixel.
    rows = (top.long()[..., None] + down).remainder(height)
    columns = (left.long()[..., None] + right).remainder(width)
    pixels = rows * width + columns
    to, taken = pixels.gather(2, in_order), pixels.gather(2, shuffled)

    sources = torch.arange(height * width, device=uniforms.device).expand(len(uniforms), -1)
    for window in range(windows):
        sources = sources.scatter(1, to[:, window], sources.gather(1, taken[:, window]))
    return sources
