"""The analyse stage: a description of an encoder by its features, without predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from medssl_bench.plan.about import About
from medssl_bench.plan.spec import ComponentData, Spec
from medssl_bench.plan.stage import AnalysisCell, Stage
from medssl_bench.plan.workload import analysis_work, speed_group
from medssl_bench.suite.analyses_of import is_wanted

if TYPE_CHECKING:
    from medssl_bench.plan.cell import Cell, Planned
    from medssl_bench.plugin.component import Component
    from medssl_bench.suite.table import Arm


class AnalyseSpec(Spec):
    """An analysis of the features that its parent left.

    Attributes:
        evaluator: the analysis.
        seed: of the analysis.
        sweep: whether it also keeps maps at other settings, which no metric depends on.
    """

    kind: ClassVar[str] = "analyse"
    does: ClassVar[str] = "medssl_bench.stages.analyse:analyse"

    evaluator: ComponentData
    seed: int
    sweep: bool = False


def follow(planned: Planned, arm: Arm, cell: Cell, evaluated: Stage) -> None:
    """Add the analyses of the encoder that an arm ends with: a fine-tuned one, else the one it began with."""
    for analysis in cell.table.analyses:
        _add(planned, arm, cell, analysis, evaluated)


def _add(planned: Planned, arm: Arm, cell: Cell, analysis: Component, evaluated: Stage) -> None:
    _, evaluator = planned.evaluator(arm, cell)
    if evaluator.needs == "labels":
        return
    trained = evaluator.trains_encoder
    labels = cell.labels.text if trained or planned.is_taught_by_cell(arm) else None
    draw = cell.draw if trained else None
    wanted, dataset = cell.table.model.analyses_of, cell.dataset.label
    fold = cell.chance.fold
    if not is_wanted(wanted, arm=arm.name, dataset=dataset, labels=labels, seed=cell.seed, draw=draw, fold=fold):
        return
    embedded = planned.embed(arm, cell, of=evaluated if trained else None)
    if planned.has_draw(embedded):
        draw = cell.draw
    words = [planned.titles.analysis(cell.table.id, analysis), cell.table.id, cell.place, arm.name]
    words += [f"seed {cell.seed}", *([f"{labels} labels"] if labels else [])]
    words += [] if draw is None else [f"draw {draw}"]
    stage = planned.plan.add_stage(
        " · ".join(words),
        {"evaluator": analysis.identity(), "dataset": cell.known.identity(), "seed": cell.seed},
        AnalyseSpec(evaluator=analysis, dataset=cell.known.spec, seed=cell.seed),
        parents=[embedded],
        pending=cell.known.pending,
        images=0,
        speed_group=speed_group("analyse", analysis),
        work=analysis_work(analysis),
        about=About(dataset=cell.dataset.label),
    )
    planned.plan.add_analysis(
        AnalysisCell(
            cell.table.id, analysis.name, arm.name, cell.dataset.label, labels, cell.seed, draw, stage.key, fold
        )
    )


KIND = AnalyseSpec
