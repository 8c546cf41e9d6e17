"""What a reader must know of a result: what its stages said, and whether its encoder was trained on the same images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.plan.trained_before import chain_of, trained_before

if TYPE_CHECKING:
    from collections.abc import Callable

    from medssl_bench.plan.stage import Plan
    from medssl_bench.store.record import Record


def told(plan: Plan, record: Callable[[str], Record | None], stage: str, dataset: str) -> dict[str, str]:
    """Return what must be known of the result of a stage, and of the stages before it: sentences by code.

    Args:
        plan: what has the stage.
        record: the record of a stage, or None.
        stage: its key.
        dataset: label of the data set of the cell that the result stands in.
    """
    chain = list(chain_of(plan, stage))
    found: dict[str, str] = {}
    for each in chain:
        made = record(each.key)
        found |= made.flags if made else {}
    if said := trained_before(plan, chain, dataset):
        found["trained_on_same_images"] = said
    return found
