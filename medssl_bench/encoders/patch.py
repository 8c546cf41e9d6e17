"""The patch of a vision transformer. Importing this module imports no torch."""

from __future__ import annotations

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
