"""The corrupt stage: a trained classifier predicts corrupted test images."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from medssl_bench.augmentations.corruptions.catalogue import CORRUPTIONS, REVISION, parameters, usual
from medssl_bench.plan.about import About
from medssl_bench.plan.retests import add_retest, keeps_classifier
from medssl_bench.plan.spec import Spec

if TYPE_CHECKING:
    from medssl_bench.plan.cell import Cell, Planned
    from medssl_bench.plan.stage import Stage
    from medssl_bench.suite.table import Arm


class CorruptSpec(Spec):
    """A corruption of the test images that the classifier of its parent, an evaluation, predicts.

    Attributes:
        corruption: its name.
        severities: from 1 to 5.
    """

    kind: ClassVar[str] = "corrupt"
    does: ClassVar[str] = "medssl_bench.stages.corrupt:corrupt"

    corruption: str
    severities: tuple[int, ...]


def follow(planned: Planned, arm: Arm, cell: Cell, evaluated: Stage) -> None:
    """Add a stage for each corruption that a comparison asks for."""
    wanted, info = cell.table.model.corrupted, cell.known.info
    if wanted is None or not keeps_classifier(planned, arm, cell):
        return
    severities = sorted(wanted.severities)
    images = info.counts["test"] * len(severities) if info else None
    for name in wanted.ops or usual(info.channels if info else None):
        if CORRUPTIONS[name].colour and info and info.channels == 1:  # said where the data set is checked
            continue
        stage = planned.plan.add_stage(
            f"corrupt · {name} · {evaluated.title}",
            {
                "corruption": name,
                "severities": severities,
                "parameters": parameters(name, severities),
                "catalogue": REVISION,
            },
            CorruptSpec(dataset=cell.known.spec, corruption=name, severities=tuple(severities)),
            parents=[evaluated],
            pending=cell.known.pending,
            images=0,
            about=About(dataset=cell.dataset.label, on=name),
        )
        add_retest(planned, arm, cell, evaluated, stage, name, images)


KIND = CorruptSpec
