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


@hookimpl
def medssl_ops(register: Register) -> None:
    """Register the ops that a suite's list of ops can name."""
    for name in GEOMETRY:
        register(name, f"{_FACTORIES}.geometry:{name}")
    for name in INTENSITY:
        register(name, f"{_FACTORIES}.intensity:{name}")


@hookimpl
def medssl_augmentations(register: Register) -> None:
    """Register SimCLR's augmentation, the plain image, and the sequence that a suite's list of ops becomes."""
    for name in ("sequence", "simclr", "plain"):
        register(name, f"{_FACTORIES}.sequences:{name}")
