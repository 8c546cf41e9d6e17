"""The plugin that registers the harness' own ops and augmentations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.plugin.markers import hookimpl

if TYPE_CHECKING:
    from medssl_bench.plugin.registry import Register

_FACTORIES = "medssl_bench.augmentations.factories"

GEOMETRY = ("horizontal_flip", "vertical_flip", "rotate90", "resized_crop", "resize", "affine")
INTENSITY = (
    "color_jitter",
    "grayscale",
    "gaussian_blur",
    "equalize",
    "sharpness",
    "solarize",
    "gamma",
    "gaussian_noise",
    "erase",
)

_REVISIONS = {"equalize": 2}
"""2: colour images are Pillow's to the digit."""


@hookimpl
def medssl_ops(register: Register) -> None:
    """Register the ops that a suite's list of ops can name."""
    for name in GEOMETRY:
        register(name, f"{_FACTORIES}.geometry:{name}")
    for name in INTENSITY:
        register(name, f"{_FACTORIES}.intensity:{name}", revision=_REVISIONS.get(name, 1))


@hookimpl
def medssl_augmentations(register: Register) -> None:
    """Register SimCLR's augmentation, the plain image, and the sequence that a suite's list of ops becomes."""
    for name in ("sequence", "simclr", "plain"):
        register(name, f"{_FACTORIES}.sequences:{name}")
