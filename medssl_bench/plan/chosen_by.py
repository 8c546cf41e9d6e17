"""Whether the metric that a comparison chooses epochs by decides the result of a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.evaluators import Evaluator
    from medssl_bench.metrics.criterion import Criterion
    from medssl_bench.suite.schema import Comparison
    from medssl_bench.suite.table import Table


def chosen_by(
    table: Table, info: DatasetInfo | None, evaluator: Evaluator, selection: str
) -> tuple[Comparison, Criterion | None]:
    """Return what a cell says of its comparison, and the metric that its epoch is chosen by.

    Where the metric decides nothing, both are what they are without it, so that the cell has the same key: the last
    epoch counts, the evaluator chooses none, or it is the metric that epochs of this task are chosen by anyway. An
    evaluator that chooses no epoch has none that could be spied on.

    Args:
        table: the comparison.
        info: of the data set; None while it is not known.
        evaluator: what judges.
        selection: which epoch counts.
    """
    criterion = table.criterion
    decides = selection != "last" and evaluator.chooses_epoch
    model = table.model.model_copy(update={"spy": table.model.spy and evaluator.chooses_epoch})
    if criterion and decides and not (info and criterion.is_default(info.task)):
        return model, criterion
    return model.model_copy(update={"select_by": None}), None
