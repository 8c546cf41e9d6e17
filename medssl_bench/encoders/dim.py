"""The length of an encoder's features."""

from __future__ import annotations

from typing import Any

from medssl_bench.errors import StageError


def feature_dim(encoder: Any) -> int:
    """Return the attribute ``dim`` that every encoder has.

    Raises:
        StageError: the encoder has none, or it is not a positive integer.
    """
    dim = getattr(encoder, "dim", None)
    if not isinstance(dim, int) or dim < 1:
        raise StageError(f"encoder {type(encoder).__name__} has no positive integer attribute 'dim'")
    return dim
