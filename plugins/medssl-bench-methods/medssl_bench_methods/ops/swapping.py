"""Swap small patches of an image, as context restoration distorts it."""

from __future__ import annotations

import torch
from torch import Tensor

from medssl_bench.augmentations.op import Op


class SwapPatches(Op):
    """Swap two square patches that do not overlap, several times (Chen et al. 2019, algorithm 1).

    Pixels are moved and none is changed, so the histogram stays. The op counts as one of intensities nevertheless: a
    view of the geometry alone must not have it.

    Args:
        patch: side of the patches in pixels; not larger than the image. Where no place is left for a second one, none
            is swapped.
        swaps: number of swaps, one after the other.
        p: probability with which an image is changed.
    """

    def __init__(self, patch: int = 5, swaps: int = 6, *, p: float = 0.5) -> None:
        super().__init__(p)
        self.patch = patch
        self.swaps = swaps

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return 2 for each swap: the places of its two patches."""
        return 2 * self.swaps

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Swap patches in each of (B, C, H, W) images."""
        return rearranged(images, swap_map(uniforms, self.patch, *images.shape[-2:]))


def rearranged(images: Tensor, sources: Tensor) -> Tensor:
    """Return images whose pixel ``i`` is their pixel ``sources[i]``, in all channels.

    Args:
        images: (B, C, H, W).
        sources: (B, H * W) int64.
    """
    pixels = images.flatten(2)
    return pixels.gather(2, sources[:, None].expand_as(pixels)).view(images.shape)


def swap_map(uniforms: Tensor, patch: int, height: int, width: int) -> Tensor:
    """Return where each pixel comes from after swaps of two disjoint patches.

    The first patch is anywhere, the second anywhere beside it, as the algorithm has it.

    Args:
        uniforms: (B, 2 * swaps) in [0, 1).
        patch: side of the patches in pixels.
        height: of the image in pixels.
        width: of the image in pixels.

    Returns:
        (B, H * W) int64.
    """
    patch = min(patch, height, width)
    tops = torch.arange(height - patch + 1, device=uniforms.device).repeat_interleave(width - patch + 1)
    lefts = torch.arange(width - patch + 1, device=uniforms.device).repeat(height - patch + 1)
    pixels = torch.arange(height * width, device=uniforms.device)
    sources = pixels.expand(len(uniforms), -1)
    for place in range(0, uniforms.shape[1], 2):
        first = (uniforms[:, place] * len(tops)).long()
        top, left = tops[first], lefts[first]
        beside = ((tops - top[:, None]).abs() >= patch) | ((lefts - left[:, None]).abs() >= patch)
        counted = beside.cumsum(1)
        wanted = (uniforms[:, place + 1] * counted[:, -1]).long()[:, None] + 1
        second = torch.where(counted[:, -1] > 0, (counted >= wanted).long().argmax(1), first)
        other_top, other_left = tops[second], lefts[second]
        shift = ((other_top - top) * width + other_left - left)[:, None]
        here = _inside(pixels, top, left, patch, width)
        there = _inside(pixels, other_top, other_left, patch, width)
        sources = sources.gather(1, pixels + shift * here.long() - shift * there.long())
    return sources


def _inside(pixels: Tensor, top: Tensor, left: Tensor, patch: int, width: int) -> Tensor:
    """Return which pixels lie in a patch of each image, (B, H * W) bool."""
    down, right = pixels // width - top[:, None], pixels % width - left[:, None]
    return (down >= 0) & (down < patch) & (right >= 0) & (right < patch)
