"""Published numbers that a comparison can be held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medssl_bench.published.layout import Layout


@dataclass(frozen=True)
class ReferenceCell:
    """One published number.

    Attributes:
        dataset: name of the data set, such as ``bloodmnist``.
        labels: the label budget as `medssl_bench.suite.budget.Budget.text` writes it: ``100``, ``all``, ``10/class``;
            ``none`` for what an analysis found of an encoder that saw no labels.
        arm: name of the arm that the number belongs to.
        metric: ``accuracy``, ``auroc`` or ``balanced_accuracy``, each in [0, 1], or a metric of an analysis, such as
            ``silhouette_2``.
        value: the number.
    """

    dataset: str
    labels: str
    arm: str
    metric: str
    value: float


@dataclass(frozen=True)
class Reference:
    """The numbers of one published table.

    Attributes:
        citation: where they were published, in one line.
        cells: the numbers.
        layout: rows and columns as they were printed, or None.
    """

    citation: str
    cells: tuple[ReferenceCell, ...]
    layout: Layout | None = None
