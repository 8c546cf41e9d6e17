"""Published numbers that a comparison can be held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ReferenceCell:
    """One published number.

    Attributes:
        dataset: name of the data set, such as ``bloodmnist``.
        labels: the label budget as `medssl_bench.suite.budget.Budget.text` writes it: ``100``, ``all``, ``10/class``.
        arm: name of the arm that the number belongs to.
        metric: ``accuracy`` or ``auroc``.
        value: in [0, 1].
    """

    dataset: str
    labels: str
    arm: str
    metric: Literal["accuracy", "auroc"]
    value: float


@dataclass(frozen=True)
class Reference:
    """The numbers of one published table.

    Attributes:
        citation: where they were published, in one line.
        cells: the numbers.
    """

    citation: str
    cells: tuple[ReferenceCell, ...]
