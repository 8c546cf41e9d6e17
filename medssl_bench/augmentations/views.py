"""Draws a view from any augmentation: the harness' own sequences and modules that draw from global generators."""

from __future__ import annotations

from weakref import WeakSet

import torch
from torch import Tensor, nn

from medssl_bench.augmentations.sequence import Sequence
from medssl_bench.errors import UserError
from medssl_bench.randomness import forked

_MARGIN = 1e-3
_seen: WeakSet[nn.Module] = WeakSet()


def has_own_streams(module: nn.Module) -> bool:
    """Return whether an augmentation has random streams of its own, and with them no host synchronisation."""
    return isinstance(module, Sequence)


def draw_view(module: nn.Module, images: Tensor, key: int | Tensor, *, intensity: bool = True) -> Tensor:
    """Return one view of every image; the same key gives the same view.

    A module without streams of its own, such as a Kornia container, runs under forked global generators.

    Args:
        module: the augmentation.
        images: (B, 3, H, W) float in [0, 1].
        key: seed of the view, in [0, 2**63); a scalar int64 tensor on the device where the call is recorded, which
            takes a module with streams of its own.
        intensity: False asks for the random geometry alone.

    Returns:
        (B, 3, size, size), of the images' type and device, in [0, 1]. Shape, type and device are checked every
        time, the values with the first view of each module, as that waits for the device.

    Raises:
        UserError: the module's view is not that, or the module cannot leave out its intensity ops.
    """
    if isinstance(module, Sequence):
        view = module.view(images, key, intensity=intensity)
        _check_shape(module, images, view, module.size)
    elif intensity:
        with forked(int(key)):
            view = module(images)
        _check_shape(module, images, view, None)
    else:
        raise UserError(
            f"a view without intensity changes is asked of {type(module).__name__}, which cannot leave them out; "
            "compose the augmentation of the harness' own ops (a list of ops in the suite)"
        )
    if module not in _seen:
        _check_values(module, view)
        _seen.add(module)
    return view


def _check_shape(module: nn.Module, images: Tensor, view: object, size: int | None) -> None:
    wanted = f"({len(images)}, {images.shape[1]}, {size or 'size'}, {size or 'size'})"
    if not isinstance(view, Tensor):
        raise UserError(f"augmentation {type(module).__name__} gave {type(view).__name__}, not a tensor {wanted}")
    side = size or (view.shape[-1] if view.ndim else 0)
    if view.shape != (len(images), images.shape[1], side, side):
        raise UserError(f"augmentation {type(module).__name__} gave a view of shape {tuple(view.shape)}, not {wanted}")
    if (view.dtype, view.device) != (images.dtype, images.device):
        raise UserError(
            f"augmentation {type(module).__name__} gave a view of {view.dtype} on {view.device}, "
            f"not of {images.dtype} on {images.device} as the images are"
        )


def _check_values(module: nn.Module, view: Tensor) -> None:
    low, high = (float(limit) for limit in torch.aminmax(view.detach()))
    if not (low >= -_MARGIN and high <= 1 + _MARGIN):
        raise UserError(
            f"augmentation {type(module).__name__} gave values from {low:g} to {high:g}; views are in [0, 1] "
            "(encoders normalise them themselves)"
        )
