"""Whether the encoder of a result was trained on the images of its data set before this suite got it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.datasets.origins import overlapping
from medssl_bench.encoders.trained_on import trained_on
from medssl_bench.errors import quoted
from medssl_bench.plan.spec import SpecWithEncoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from medssl_bench.plan.stage import Plan, Stage

_BEFORE = frozenset({"pretrain", "embed"})
"""Kinds of stages that shape what builds on them; what is said of a judgement is about itself alone."""


def chain_of(plan: Plan, key: str) -> Iterator[Stage]:
    """Yield the stages that the result of a stage builds on, and that stage last."""
    for parent in plan.stages[key].parents:
        if plan.stages[parent].kind in _BEFORE:
            yield from chain_of(plan, parent)
    yield plan.stages[key]


def trained_before(plan: Plan, stages: Iterable[Stage], dataset: str) -> str:
    """Return that the encoders of some stages were trained on the images of a data set, or an empty string.

    Args:
        plan: what has the stages.
        stages: those that a result builds on, and its own last.
        dataset: the label of the data set in the plan.
    """
    chain = list(stages)
    info, own = plan.datasets.get(dataset), chain[-1].spec.dataset.component
    names = (dataset, own.name, *((info.title,) if info else ()))
    made = [stage.spec.encoder for stage in chain if isinstance(stage.spec, SpecWithEncoder)]
    found = [name for encoder in made if encoder for name in overlapping(trained_on(encoder.component), names)]
    if not found:
        return ""
    seen = ", ".join(dict.fromkeys(found))
    return f"its encoder was trained on {seen}, where images of {dataset} come from; it may have seen test images"


@dataclass(frozen=True)
class Seen:
    """Arms of a comparison whose encoders were trained on images of a data set that they are tested on.

    Attributes:
        comparison: its id.
        on: label of the data set: the comparison's, or another one that it tests on.
        said: what is said of each of them.
        arms: their names.
    """

    comparison: str
    on: str
    said: str
    arms: list[str]

    def __str__(self) -> str:
        return f"{quoted(self.arms)}: {self.said}"


def seen_before(plan: Plan) -> list[Seen]:
    """Return, for each comparison and data set that it is tested on, the arms that have seen its images before."""
    arms: dict[tuple[str, str, str], list[str]] = {}
    asked = set()
    others = [(found.trial, found.on, found.stage) for found in plan.retests if found.what == "transfer"]
    for trial, on, last in [*((trial, trial.dataset, trial.stage) for trial in plan.trials), *others]:
        if (place := (trial.table, on, trial.arm)) not in asked:
            asked.add(place)
            if said := trained_before(plan, [*chain_of(plan, trial.stage), plan.stages[last]], on):
                arms.setdefault((trial.table, on, said), []).append(trial.arm)
    return [Seen(*place, named) for place, named in arms.items()]
