"""How much work of the encoder a method takes for an image. Importing this module imports no torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import PluginError

if TYPE_CHECKING:
    from medssl_bench.plugin.entry import Entry

Counts = tuple[tuple[int, float], ...]
"""Pairs of the side of an image in pixels, and how many there are of that size."""


@dataclass(frozen=True)
class Passes:
    """What a method does for every image of a batch: passes through the encoder, and views made.

    Each is a tuple of pairs ``(side, number)``: the side of the images in pixels, and how many of that size. A number
    may be a fraction: an encoder that sees 13 of 50 tokens does 0.26 of a pass. So may a head or a decoder be counted
    that is not small beside the encoder.

    Attributes:
        trained: passes forward and backward.
        frozen: passes forward only, of a momentum encoder or a teacher.
        views: views made; None: one for each trained pass.
    """

    trained: Counts
    frozen: Counts = ()
    views: Counts | None = None

    @property
    def made(self) -> Counts:
        """The views made."""
        return self.trained if self.views is None else self.views


CountPasses = Callable[[Mapping[str, Any], int], Passes]
"""Counts the passes of a method from its parameters, defaults filled in, and the side of the recipe's views."""


def two_views(parameters: Mapping[str, Any], size: int) -> Passes:  # noqa: ARG001 - the signature of all
    """Return the passes of SimCLR, and of a method that does not say: two views, both trained."""
    return Passes(trained=((size, 2),))


def passes_of(entry: Entry, parameters: Mapping[str, Any], size: int) -> Passes:
    """Return the passes of a method for an image.

    Args:
        entry: the method.
        parameters: its parameters, defaults filled in; nested components stand as `Component`.
        size: side of the recipe's views in pixels.

    Raises:
        PluginError: the function that counts them raises, or gives something else.
    """
    count = entry.work or two_views
    try:
        passes = count(parameters, size)
    except Exception as error:
        line = " ".join(f"{type(error).__name__}: {error}".split())
        raise PluginError(f"{entry.title}: its `work` cannot be counted: {line}") from error
    if wrong := _wrong_with(passes):
        raise PluginError(f"{entry.title}: its `work` {wrong}")
    return passes


def _wrong_with(passes: Any) -> str:
    """Return what is wrong with passes that a plugin has given, or an empty string."""
    if not isinstance(passes, Passes):
        return f"gives {passes!r}, not medssl_bench.methods.Passes"
    for name in ("trained", "frozen", "made"):
        counts = getattr(passes, name)
        if not isinstance(counts, tuple | list) or not all(map(_is_count, counts)):
            called = "views" if name == "made" else name
            return f"gives {called} = {counts!r}, not pairs of a side in pixels and a number from 0"
    return ""


def _is_count(pair: Any) -> bool:
    if not isinstance(pair, tuple | list) or len(pair) != 2 or any(isinstance(each, bool) for each in pair):
        return False
    side, number = pair
    return isinstance(side, int) and side >= 1 and isinstance(number, int | float) and 0 <= number < math.inf
