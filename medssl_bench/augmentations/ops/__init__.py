"""The ops: batched, pure functions of images and uniform numbers, one file per op or family."""

from __future__ import annotations

from medssl_bench.augmentations.ops.affine import Affine
from medssl_bench.augmentations.ops.color_jitter import ColorJitter
from medssl_bench.augmentations.ops.equalize import Equalize
from medssl_bench.augmentations.ops.erase import Erase
from medssl_bench.augmentations.ops.flip import HorizontalFlip, VerticalFlip
from medssl_bench.augmentations.ops.gamma import Gamma
from medssl_bench.augmentations.ops.gaussian_blur import GaussianBlur
from medssl_bench.augmentations.ops.gaussian_noise import GaussianNoise
from medssl_bench.augmentations.ops.grayscale import Grayscale
from medssl_bench.augmentations.ops.resize import Resize
from medssl_bench.augmentations.ops.resized_crop import ResizedCrop
from medssl_bench.augmentations.ops.rotate90 import Rotate90
from medssl_bench.augmentations.ops.sharpness import Sharpness
from medssl_bench.augmentations.ops.solarize import Solarize

__all__ = [
    "Affine",
    "ColorJitter",
    "Equalize",
    "Erase",
    "Gamma",
    "GaussianBlur",
    "GaussianNoise",
    "Grayscale",
    "HorizontalFlip",
    "Resize",
    "ResizedCrop",
    "Rotate90",
    "Sharpness",
    "Solarize",
    "VerticalFlip",
]
