"""The length of an encoder's features."""

from __future__ import annotations

from typing import Any

from medssl_bench.errors import StageError, told


def feature_dim(encoder: Any) -> int:
    """Return the attribute ``dim`` that every encoder has.

    Raises:
        StageError: the encoder has none, or it is not a positive integer.
    """
    dim = getattr(encoder, "dim", None)
    if not isinstance(dim, int) or dim < 1:
        raise StageError(f"encoder {type(encoder).__name__} has no positive integer attribute 'dim'")
    return dim


def check_encoder(encoder: Any, size: int) -> None:
    """Require that an encoder gives features, as long as it says: two black images are encoded.

    Of one that has `brought`, whose features come from a file, only the length is asked.

    Args:
        encoder: what a factory gave.
        size: side of its images in pixels.

    Raises:
        StageError: it is none, fails, or its features are not (2, ``dim``) floats.
    """
    import torch
    from torch import nn

    from medssl_bench.randomness import forked

    kind = type(encoder).__name__
    if not isinstance(encoder, nn.Module):
        raise StageError(f"the factory of the encoder gives {kind}, not an nn.Module")
    dim, training = feature_dim(encoder), encoder.training
    if hasattr(encoder, "brought"):
        return
    try:
        with torch.no_grad(), forked(0):
            found = encoder.eval()(torch.zeros(2, 3, size, size))
    except Exception as error:
        raise StageError(f"encoder {kind} cannot encode images of {size} pixels: {told(error)}") from error
    finally:
        encoder.train(training)
    if not isinstance(found, torch.Tensor) or found.shape != (2, dim) or not found.is_floating_point():
        what = type(found).__name__
        if isinstance(found, torch.Tensor):
            what = f"{found.dtype} of shape {tuple(found.shape)}"
        raise StageError(f"encoder {kind} gives {what} for 2 images, not floats of shape (2, {dim})")
