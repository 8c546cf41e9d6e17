"""The work of the encoder that a method takes for an image, in passes of a view of full size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.costs.arithmetic import share_of_view

if TYPE_CHECKING:
    from medssl_bench.methods.work import Counts, Passes
    from medssl_bench.plugin.component import Component


@dataclass(frozen=True)
class EncoderPasses:
    """Passes through the encoder for each image, where one of a view of full size is 1.

    Attributes:
        trained: forward and backward; the backward pass is the work of two forward passes.
        frozen: forward only.
    """

    trained: float
    frozen: float

    @property
    def compute(self) -> float:
        """The work for an image, where SimCLR (two trained views) has 1."""
        return (self.trained + self.frozen / 3) / 2


def encoder_passes(passes: Passes, encoder: Component, size: int | None) -> EncoderPasses:
    """Return the passes of a method through an encoder.

    Args:
        passes: what the method says.
        encoder: the encoder.
        size: side of a view of full size in pixels; None: not known, taken as 28.
    """
    size = size or 28

    def counted(counts: Counts) -> float:
        return sum(number * share_of_view(encoder, side, size) for side, number in counts)

    return EncoderPasses(counted(passes.trained), counted(passes.frozen))
