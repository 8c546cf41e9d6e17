"""Copies of images as they come about: turned, stored as JPEG, with noise, brighter, resized."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from medssl_bench.datasets.turns import turned


def _jpeg(image, quality):
    stored = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(stored, "JPEG", quality=quality)
    return np.asarray(Image.open(stored))


def _resized(image):
    size = image.shape[0]
    small = Image.fromarray(image).resize((round(size * 24 / 28),) * 2, Image.Resampling.BICUBIC)
    return np.asarray(small.resize((size, size), Image.Resampling.BICUBIC))


def _rounded(values):
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


ALTERATIONS = {
    "exact": lambda image, _: image,
    "turned": lambda image, rng: turned(image, int(rng.integers(1, 4))),
    "flipped": lambda image, rng: turned(image, int(rng.integers(4, 8))),
    "JPEG 90": lambda image, _: _jpeg(image, 90),
    "JPEG 50": lambda image, _: _jpeg(image, 50),
    "turned, JPEG 75": lambda image, rng: _jpeg(turned(image, int(rng.integers(1, 8))), 75),
    "noise": lambda image, rng: _rounded(image + rng.normal(0, 5, image.shape)),
    "brighter": lambda image, _: _rounded(image * 1.1),
    "resized": lambda image, _: _resized(image),
}


def altered(images, name, seed=0):
    """Return images, each altered in one way."""
    rng = np.random.default_rng(seed)
    return np.stack([ALTERATIONS[name](image, rng) for image in images])
