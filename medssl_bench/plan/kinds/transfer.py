"""The transfer stage: a trained classifier predicts the test images of another data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from medssl_bench.plan.about import About
from medssl_bench.plan.class_map import ClassMap
from medssl_bench.plan.retests import add_retest, keeps_classifier
from medssl_bench.plan.spec import DatasetSpec, Spec

if TYPE_CHECKING:
    from medssl_bench.plan.cell import Cell, Planned
    from medssl_bench.plan.stage import Stage
    from medssl_bench.suite.table import Arm


class TransferSpec(Spec):
    """The test images of another data set, `dataset`, that the classifier of its parent, an evaluation, predicts.

    Attributes:
        trained_on: the data set that was trained on.
        classes: which classes of both are the same.
    """

    kind: ClassVar[str] = "transfer"
    does: ClassVar[str] = "medssl_bench.stages.transfer:transfer"

    trained_on: DatasetSpec
    classes: ClassMap

    @property
    def datasets(self) -> tuple[DatasetSpec, ...]:
        """All data sets that it reads."""
        return (self.dataset, self.trained_on)


def follow(planned: Planned, arm: Arm, cell: Cell, evaluated: Stage) -> None:
    """Add a stage for each other data set that a comparison tests on."""
    for other in cell.table.test_on:
        if other.dataset.component == cell.dataset.component or not keeps_classifier(planned, arm, cell):
            continue
        known = planned.known_dataset(other.dataset)
        unseen = cell.known.info is None or known.info is None
        classes = ClassMap(names=(), own=(), other=())
        if cell.known.info is not None and known.info is not None:
            found = ClassMap.of(cell.known.info, known.info, other.classes)
            if isinstance(found, str):  # said where the data set is checked
                continue
            classes = found
        decides: dict[str, Any] = {"dataset": known.identity(), "classes": classes.to_data()}
        stage = planned.plan.add_stage(
            f"transfer · to {other.dataset.label} · {evaluated.title}",
            decides,
            TransferSpec(dataset=known.spec, trained_on=cell.known.spec, classes=classes),
            parents=[evaluated],
            pending=cell.known.pending or known.pending or unseen,
            images=0,
            about=About(dataset=cell.dataset.label, on=other.dataset.label),
        )
        images = known.info.counts["test"] if known.info else None
        add_retest(planned, arm, cell, evaluated, stage, other.dataset.label, images)


KIND = TransferSpec
