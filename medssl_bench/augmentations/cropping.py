"""The crop that a view asks for, whatever the augmentation that makes it."""

from __future__ import annotations

from copy import deepcopy

from torch import nn

from medssl_bench.augmentations.ops import ResizedCrop
from medssl_bench.augmentations.sequence import Sequence
from medssl_bench.errors import StageError


def cropped(module: nn.Module, crop: tuple[float, float], size: int) -> nn.Module:
    """Return an augmentation whose crops keep another part of the image's area; one without a crop begins with one.

    Args:
        module: the augmentation; it is left as it is.
        crop: least and largest part of the area, in (0, 1].
        size: side of the views in pixels.

    Raises:
        StageError: the augmentation is not a sequence of the harness' ops, so its crops are not known, or `crop` is not
            two ascending numbers in (0, 1].
    """
    low, high = crop
    if not 0 < low <= high <= 1:
        raise StageError(f"the crop of a view is two ascending numbers in (0, 1], not {low:g} and {high:g}")
    if not isinstance(module, Sequence):
        raise StageError(
            f"a view with its own crop is asked of {type(module).__name__}, whose crops the harness does not know; "
            "compose the augmentation of the harness' own ops (a list of ops in the suite)"
        )
    module = deepcopy(module)
    crops = [op for op in module.ops if isinstance(op, ResizedCrop)]
    for op in crops:
        op.scale, op.scale_of = (low, high), "area"
    return module if crops else Sequence([ResizedCrop(size, (low, high)), *module.ops], size)
