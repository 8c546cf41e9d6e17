"""What stages have in common in which the classifier of a finished trial predicts other images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from medssl_bench.encoders.brought_file import is_brought
from medssl_bench.plan.stage import Retest, Trial
from medssl_bench.plan.workload import prediction_work, speed_group

if TYPE_CHECKING:
    from medssl_bench.plan.cell import Cell, Planned
    from medssl_bench.plan.stage import Stage
    from medssl_bench.suite.table import Arm


def keeps_classifier(planned: Planned, arm: Arm, cell: Cell) -> bool:
    """Return whether the trials of an arm leave an encoder and a linear layer that predict new images."""
    _, evaluator = planned.evaluator(arm, cell)
    return evaluator.keeps_head and not is_brought(arm.encoder)


def add_retest(
    planned: Planned, arm: Arm, cell: Cell, evaluated: Stage, stage: Stage, on: str, images: int | None
) -> None:
    """Note what a stage is for, and how much work it is.

    Args:
        planned: where to note it.
        arm: whose classifier it is.
        cell: what it was trained on.
        evaluated: its evaluation.
        stage: the stage.
        on: the corruption, or the other data set.
        images: how many images are predicted; None while the data has not been seen.
    """
    labels, chance = cell.labels.text, cell.chance
    trial = Trial(cell.table.id, arm.name, cell.dataset.label, labels, cell.seed, cell.draw, evaluated.key, chance.fold)
    plan = planned.plan
    plan.retests.append(Retest(trial, stage.kind, on, stage.key))
    component, evaluator = planned.evaluator(arm, cell)
    precision = str(component.parameters.get("precision", "float32")) if evaluator.trains_encoder else "float32"
    work = None if images is None else prediction_work(arm.encoder, cell.known.size, images, precision, _op(stage, on))
    group = speed_group(stage.kind, on if stage.kind == "corrupt" else None, arm.encoder, cell.known.size, precision)
    plan.stages[stage.key] = replace(stage, work=work, speed_group=group)


def _op(stage: Stage, on: str) -> str:
    return f"corruption {on}" if stage.kind == "corrupt" else ""
