"""The one encoder of a suite by which its report shows what settings of a map do (fig. 7.4 of [Jiang 2023])."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medssl_bench.plan.stage import AnalysisCell, Plan
    from medssl_bench.suite.suite import Suite
    from medssl_bench.suite.table import Table


def mark_sweep(suite: Suite, plan: Plan) -> None:
    """Let the analyses of the first pretrained encoder keep more than those of the others, if any is analysed.

    It is said in the spec and not in the key, as no result depends on it: a stage that was finished without is as good,
    and a report then computes what is missing.
    """
    for table in suite.tables:
        ranks = {arm.name: rank for rank, arm in enumerate(table.arms) if arm.chain}
        places = {dataset.label: place for place, dataset in enumerate(table.datasets)}
        found = [cell for cell in plan.analyses if cell.table == table.id and cell.arm in ranks]
        if found:
            shown = min(
                found, key=lambda cell: (places[cell.dataset], ranks[cell.arm], _last_budget_first(table, cell))
            )
            for cell in found:
                if _encoder(cell) == _encoder(shown):
                    stage = plan.stages[cell.stage]
                    plan.stages[cell.stage] = replace(stage, spec=stage.spec.model_copy(update={"sweep": True}))
            return


def _encoder(cell: AnalysisCell) -> tuple[object, ...]:
    return cell.arm, cell.dataset, cell.labels, cell.seed, cell.draw, cell.fold


def _last_budget_first(table: Table, cell: AnalysisCell) -> int:
    """Return the rank of the labels that shaped an encoder: a report shows those of the last budget that is drawn."""
    drawn = [budget.text for budget in table.labels if budget.is_drawn] or [budget.text for budget in table.labels]
    return -drawn.index(cell.labels) if cell.labels in drawn else 1
