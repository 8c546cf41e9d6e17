"""The names of arms that tables show: of floors, of arms, and of an arm that has several variants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.errors import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from medssl_bench.suite.schema import Comparison


def misnamed(model: Comparison, floors: Sequence[str]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield where a comparison gives a name twice, or names as its baseline what is no arm, and a message.

    Args:
        model: the comparison.
        floors: names of its floors.
    """
    names = [arm.name for arm in model.arm]
    for place, arm in enumerate(model.arm):
        if arm.name in floors:
            message = f"{arm.name!r} is the name of a floor; call the arm otherwise, or set floors = []"
            yield ("arm", place, "name"), message
        if arm.variant_of in (*names, *floors):
            message = f"{arm.variant_of!r} is an arm of the comparison; variants need a name that no arm has"
            yield ("arm", place, "variant_of"), message
    shown = [*dict.fromkeys(arm.variant_of or arm.name for arm in model.arm), *floors]
    if model.baseline is not None and model.baseline not in shown:
        hint = did_you_mean(model.baseline, shown) or f"; the arms are {quoted(shown)}"
        yield ("baseline",), f"there is no arm {model.baseline!r}{hint}"
