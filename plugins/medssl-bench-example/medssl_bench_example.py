"""A whole plugin: one augmentation, made of Kornia's classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from medssl_bench import hookimpl

if TYPE_CHECKING:
    from torch import nn

    from medssl_bench.plugin.registry import Register


@hookimpl
def medssl_augmentations(register: Register) -> None:
    """Register the augmentation under the name that suites use."""
    register("gentle", gentle)


def gentle(size: int, *, blur: Annotated[float, Field(gt=0.1)] = 1.0) -> nn.Module:
    """Crop and a little blur. One call draws one view of every image.

    Args:
        blur: largest standard deviation of the blur, in pixels.
    """
    import kornia.augmentation as K  # heavy imports where they are used: listing and planning stay instant

    return K.AugmentationSequential(
        K.RandomResizedCrop((size, size), scale=(0.5, 1.0)), K.RandomGaussianBlur((3, 3), (0.1, blur))
    )
