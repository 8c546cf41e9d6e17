"""What storing an image does to it: fewer pixels, JPEG; and a stronger saturation of its colours."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from medssl_bench.augmentations.op import Op


class Pixelate(Op):
    """Show images by fewer pixels: each value is the mean over the area that a pixel covers, there and back.

    Args:
        share: of the side's pixels that are left.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:  # noqa: ARG002
        """Return (B, C, H, W) images of coarser pixels."""
        height, width = images.shape[-2:]
        rows, columns = (self._there_and_back(side).to(images) for side in (height, width))
        return (rows @ images @ columns.mT).clamp_(0, 1)

    def _there_and_back(self, side: int) -> Tensor:
        fewer = max(1, int(side * self.share))
        return _means(fewer, side) @ _means(side, fewer)


def _means(before: int, after: int) -> Tensor:
    """Return how much each of `before` pixels of a side counts for each of `after`, (after, before): what it covers."""
    edges = torch.linspace(0, before, after + 1, dtype=torch.float64)
    pixels = torch.arange(before, dtype=torch.float64)
    covered = (torch.minimum(edges[1:, None], pixels + 1) - torch.maximum(edges[:-1, None], pixels)).clamp_(min=0)
    return covered / covered.sum(1, keepdim=True)


class JpegCompression(Op):
    """Store images as JPEG files with Pillow, and read them again.

    Args:
        quality: from 1 to 95.
    """

    def __init__(self, quality: int) -> None:
        super().__init__()
        self.quality = quality

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:  # noqa: ARG002
        """Return what is left of (B, 1, H, W) or (B, 3, H, W) images."""
        pixels = (images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        found = np.stack([self._stored(image[..., 0] if image.shape[2] == 1 else image) for image in pixels])
        again = torch.from_numpy(found if found.ndim == 4 else found[..., None]).permute(0, 3, 1, 2)
        return again.to(images.device, images.dtype) / 255

    def _stored(
        self, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=self.quality)
        return np.asarray(Image.open(file))


class Saturate(Op):
    """Add to the saturation of colours, in HSV; grey pixels stay grey.

    Args:
        more: what is added; the sum is 1 at most.
    """

    def __init__(self, more: float) -> None:
        super().__init__()
        self.more = more

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:  # noqa: ARG002
        """Return (B, 3, H, W) images of stronger colours; grey ones, (B, 1, H, W), unchanged."""
        highest, lowest = images.amax(1, keepdim=True), images.amin(1, keepdim=True)
        saturation = (highest - lowest) / highest.clamp(min=1e-12)
        factor = torch.where(saturation > 0, (saturation + self.more).clamp(max=1) / saturation.clamp(min=1e-12), 1.0)
        return (highest - (highest - images) * factor).clamp_(0, 1)
