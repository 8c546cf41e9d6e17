"""Says of each stage of a plan what it is of: the arms that need it, and what decides its result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.plan.kinds.pretrain import PretrainSpec
from medssl_bench.plan.spec import SpecWithEncoder
from medssl_bench.plugin.watching import ArmInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, Literal

    from medssl_bench.plan.about import About
    from medssl_bench.plan.stage import Plan, Stage
    from medssl_bench.suite.table import Table


def attribute(plan: Plan, tables: Sequence[Table]) -> None:
    """Complete what the stages of a plan say of themselves, once the plan has all of them.

    A stage is of every arm that needs it. It has a label budget, a training seed, a label draw or a fold only if that
    decides its result, or the result of a stage that it builds on.

    Args:
        plan: the plan.
        tables: the comparisons of its suite.
    """
    arms = _arms(plan)
    designs = {table.id: table for table in tables}
    for key, stage in plan.stages.items():  # every stage stands after those it builds on
        before = [plan.stages[parent].about for parent in stage.parents]
        chain = _chain(stage, plan)
        own = stage.about
        if isinstance(stage.spec, PretrainSpec):
            own = replace(own, method=stage.spec.method.name)
        needed_by = [designs[arm.comparison] for arm in arms.get(key, ())]
        about = replace(
            own,
            arms=tuple(arms.get(key, ())),
            seeds=max((len(table.seeds) for table in needed_by), default=None),
            draws=max((len(table.draws) for table in needed_by), default=None),
            labels=stage.spec.labels.text if isinstance(stage.spec, EvaluateSpec) else _first(before, "labels") or "",
            seed=_decided(stage, "seed", before),
            draw=_decided(stage, "draw", before),
            fold=next((dataset.fold.number for dataset in stage.spec.datasets if dataset.fold), None),
            recipe=" + ".join(filter(None, [chain.recipe if chain else "", own.recipe])),
            method=" + ".join(filter(None, [chain.method if chain else "", own.method])),
        )
        plan.stages[key] = replace(stage, about=about)


def _arms(plan: Plan) -> dict[str, dict[ArmInfo, None]]:
    """Return the arms that need each stage, in the order of the suite."""
    found: dict[str, dict[ArmInfo, None]] = {}
    for arm, wanted in dict.fromkeys(_wanted(plan)):
        waiting = [wanted]
        while waiting:
            key = waiting.pop()
            if arm not in found.setdefault(key, {}):
                found[key][arm] = None
                waiting += plan.stages[key].parents
    return found


def _wanted(plan: Plan) -> Iterator[tuple[ArmInfo, str]]:
    """Yield each arm with the stages that it shows results of."""
    for trial in plan.trials:
        yield ArmInfo(trial.table, trial.arm), trial.stage
    for analysis in plan.analyses:
        yield ArmInfo(analysis.table, analysis.arm), analysis.stage
    for retest in plan.retests:
        yield ArmInfo(retest.trial.table, retest.trial.arm), retest.stage


def _chain(stage: Stage, plan: Plan) -> About | None:
    """Return what the stage that left the encoder is of; None: the encoder has its first weights."""
    start = stage.spec.start if isinstance(stage.spec, SpecWithEncoder) else next(iter(stage.parents), None)
    return plan.stages[start].about if start else None


def _decided(stage: Stage, chance: Literal["seed", "draw"], before: list[About]) -> int | None:
    """Return the training seed or label draw that decides a stage; None: none does."""
    encoder = stage.identity.get("encoder") or {}
    own = [value for value in (stage.identity.get(chance), encoder.get(chance)) if value is not None]
    return own[0] if own else _first(before, chance)


def _first(before: list[About], name: str) -> Any:
    """Return what the first of some stages says that says something."""
    return next((value for about in before if (value := getattr(about, name)) not in (None, "")), None)
