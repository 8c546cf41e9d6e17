"""The contract of a method's work: the function that the plan counts it by gives what the method does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from medssl_bench.methods.base import Method, View
from medssl_bench.methods.work import Counts, Passes
from medssl_bench.testing.checking import require

Work = Callable[[int], Passes]
"""Gives the passes of a method for an image, from the side of the recipe's views in pixels."""


@contextmanager
def counted_passes(method: Method) -> Iterator[Counter[int]]:
    """Count the images that an encoder of the method's type is called with in the block, by their side in pixels.

    An average of the encoder counts as the encoder does. Calls of ``tokens`` and ``feature_maps`` are not seen.
    """
    found: Counter[int] = Counter()

    def count(_: nn.Module, images: tuple[Any, ...]) -> None:
        if images and isinstance(images[0], Tensor):
            found[images[0].shape[-1]] += len(images[0])

    encoders = [module for module in method.modules() if type(module) is type(method.encoder)]
    handles = [encoder.register_forward_pre_hook(count) for encoder in encoders]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def require_counted(passes: Passes, views: Sequence[View], done: Mapping[int, int], *, batch: int, size: int) -> str:
    """Check what a method's `work` counts against what the method does.

    It may count more passes than were seen, as decoders and calls of ``tokens`` are work too.

    Args:
        passes: what its `work` gives.
        views: the views that it asks for.
        done: images that have passed its encoders, by their side, of one training batch.
        batch: images of that batch.
        size: side of the recipe's views in pixels.

    Returns:
        The passes, in words.

    Raises:
        Failed: the method asks for other views, or does more passes.
    """
    asked: Counter[int] = Counter(view.size or size for view in views)
    made = _summed(passes.made)
    require(
        made == asked,
        f"views() asks for {_words(asked)} of each image, and its `work` counts {_words(made)}; "
        "give register() a `work` that counts them",
    )
    seen = {side: images / batch for side, images in done.items()}
    counted = _summed((*passes.trained, *passes.frozen))
    require(
        _work(counted) >= _work(seen) * (1 - 1e-9),
        f"for each image {_words(seen)} pass the encoder, and its `work` counts {_words(counted)}; "
        "give register() a `work` that counts them",
    )
    return f"{_words(_summed(passes.trained))} trained, {_words(_summed(passes.frozen))} frozen"


def _summed(counts: Counts) -> dict[int, float]:
    sides = {side for side, number in counts if number}
    return {side: sum(number for each, number in counts if each == side) for side in sides}


def _work(counts: Mapping[int, float]) -> float:
    return sum(number * side**2 for side, number in counts.items())


def _words(counts: Mapping[int, float]) -> str:
    each = [f"{number:.3g} of {side} px" for side, number in sorted(counts.items(), reverse=True)]
    return " and ".join(each) or "none"
