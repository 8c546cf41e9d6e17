"""What a reader must know of a result: what its stages said, and whether its encoder was trained on the same images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.plan.trained_before import trained_before

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from medssl_bench.plan.stage import Plan, Stage
    from medssl_bench.store.record import Record

_BEFORE = frozenset({"pretrain", "embed"})
"""Kinds of stages whose flags are those of what builds on them; flags of a judgement are about itself alone."""


def told(plan: Plan, record: Callable[[str], Record | None], stage: str, dataset: str) -> dict[str, str]:
    """Return what must be known of the result of a stage, and of the stages before it: sentences by code.

    Args:
        plan: what has the stage.
        record: the record of a stage, or None.
        stage: its key.
        dataset: label of the data set of the cell that the result stands in.
    """
    chain = list(_chain(plan, stage))
    found: dict[str, str] = {}
    for each in chain:
        made = record(each.key)
        found |= made.flags if made else {}
    if seen := trained_before(plan, chain, dataset):
        found["trained_on_same_images"] = (
            f"its encoder was trained on {', '.join(seen)}, where images of {dataset} come from; it may have seen test "
            f"images"
        )
    return found


def _chain(plan: Plan, key: str) -> Iterator[Stage]:
    """Yield the stages that a result builds on, and its own last."""
    for parent in plan.stages[key].parents:
        if plan.stages[parent].kind in _BEFORE:
            yield from _chain(plan, parent)
    yield plan.stages[key]
