"""Whether the encoder of a result was trained on the images of its data set before this suite got it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.datasets.origins import overlapping
from medssl_bench.encoders.trained_on import trained_on
from medssl_bench.plan.spec import SpecWithEncoder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from medssl_bench.plan.stage import Plan, Stage


def trained_before(plan: Plan, stages: Iterable[Stage], dataset: str) -> list[str]:
    """Return the data sets that the encoders of some stages were trained on and that share images with a data set.

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
    return list(dict.fromkeys(found))
