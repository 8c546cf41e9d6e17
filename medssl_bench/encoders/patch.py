"""The patch of a vision transformer. Importing this module imports no torch."""

from __future__ import annotations

from typing import Any

from medssl_bench.errors import StageError


def fitting_patch(size: int, patch: int | None) -> int:
    """Return the side of a ViT's patches for images of a size.

    Args:
        size: side of the images in pixels.
        patch: the wanted side; None: the largest usual one that divides the image into 7 x 7 patches or more.

    Raises:
        StageError: the patch does not divide the image.
    """
    if patch is None:
        fits = [side for side in (4, 7, 8, 14, 16) if size % side == 0]
        if not fits:
            raise StageError(f"no usual patch divides images of {size} pixels; set patch")
        return max((side for side in fits if size // side >= 7), default=min(fits))
    if size % patch:
        raise StageError(f"a patch of {patch} does not divide images of {size} pixels: pixels would be dropped")
    return patch


def dropped_side(model: Any, size: int) -> int:
    """Return the side of the patches of a model of timm if they do not divide its images, else 0.

    Args:
        model: any; one without patches, or that pads its images, drops nothing.
        size: side of the images in pixels.
    """
    embedding = getattr(model, "patch_embed", None)
    patch = getattr(embedding, "patch_size", None)
    side = patch[0] if isinstance(patch, tuple) and patch else patch
    pads = getattr(embedding, "dynamic_img_pad", False)
    return side if isinstance(side, int) and side > 0 and size % side and not pads else 0


def sizes_near(patch: int, size: int) -> str:
    """Return which sizes of images near one that patches do not divide they do divide, as a suite writes them."""
    below = size // patch * patch
    return f"input_size = {below} or {below + patch}" if below else f"input_size = {patch}"
