"""A small decoder: features of any encoder back to images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_START, _LEAST = 4, 8


class Decoder(nn.Module):
    """Features to images: a linear layer, then convolutions between doublings of the side.

    It sees the features alone. A U-Net's decoder also sees the maps of earlier layers: most of the answer would then go
    round the features. Maps are enlarged by nearest neighbours, as the gradient of bilinear ones is not reproducible on
    a GPU.

    Args:
        dim: length of the features.
        size: side of the images in pixels.
        width: channels of the smallest maps, of 4 x 4; they halve with each doubling, to 8 at least. With 64, images
            of 28 pixels cost about 0.15 of a ResNet-18.
    """

    def __init__(self, dim: int, size: int, width: int = 64) -> None:
        super().__init__()
        self.size = size
        self.width = width
        self.first = nn.Linear(dim, width * _START**2)
        layers: list[nn.Module] = []
        side, channels = _START, width
        while side < size:
            fewer = max(channels // 2, min(_LEAST, channels))
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(channels, fewer, 3, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(fewer), nn.ReLU()]
            side, channels = 2 * side, fewer
        self.enlarge = nn.Sequential(*layers, nn.Conv2d(channels, 3, 3, padding=1))

    def forward(self, features: Tensor) -> Tensor:
        """Return images (B, 3, size, size) float32 in [0, 1] of features (B, `dim`)."""
        maps = self.first(features).view(-1, self.width, _START, _START)
        drawn = self.enlarge(maps).float()
        edge = (drawn.shape[-1] - self.size) // 2
        return torch.sigmoid(drawn[..., edge : edge + self.size, edge : edge + self.size])


@torch.no_grad()
def explained(drawn: Tensor, images: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the share of the images' variance that drawn images have right: 1 all of it, 0 no more than their mean.

    Args:
        drawn: (B, C, H, W).
        images: (B, C, H, W); the mean is that of each channel over the batch.
        weight: broadcast to them: how much a pixel counts; None: all alike.
    """
    weight = torch.ones_like(images) if weight is None else weight.to(images.dtype).expand_as(images)
    over = (0, 2, 3)
    mean = (images * weight).sum(over, keepdim=True) / weight.sum(over, keepdim=True).clamp(min=1)
    wrong = ((drawn.detach() - images).square() * weight).sum()
    return 1 - wrong / ((images - mean).square() * weight).sum().clamp(min=1e-6)
