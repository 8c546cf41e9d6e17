"""Rows and columns of a table as it was published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ArmRow:
    """The numbers of one arm.

    Attributes:
        heads: what stands at its left, one for each head of the block.
        arm: name of the arm.
    """

    heads: tuple[str, ...]
    arm: str


@dataclass(frozen=True)
class BestRow:
    """In each column the best of some arms, picked on test: as published, and optimistic."""

    heads: tuple[str, ...]
    arms: tuple[str, ...]


@dataclass(frozen=True)
class ImprovementRow:
    """In each column the best of some arms minus the best of others, both picked on test: as published."""

    heads: tuple[str, ...]
    arms: tuple[str, ...]
    over: tuple[str, ...]


@dataclass(frozen=True)
class PairedRow:
    """The mean paired difference of one arm to another over seeds and draws: nothing is picked."""

    heads: tuple[str, ...]
    arm: str
    over: str


LayoutRow = ArmRow | BestRow | ImprovementRow | PairedRow


@dataclass(frozen=True)
class Block:
    """One part of a table, printed once for each data set.

    Attributes:
        heads: heads of the columns at the left.
        rows: the rows.
        caption: what it is called, beside the data set.
    """

    heads: tuple[str, ...]
    rows: tuple[LayoutRow, ...]
    caption: str = ""


@dataclass(frozen=True)
class Layout:
    """A published table's shape.

    Attributes:
        name: such as ``Table 7.1``.
        blocks: its parts.
        metrics: heads of the columns of one label budget, by metric, such as ``{"accuracy": "ACC"}``.
        datasets: what the table calls a data set, by the name it was published under.
        group: what the label budgets are of, such as ``labelled samples``.
    """

    name: str
    blocks: tuple[Block, ...]
    metrics: Mapping[str, str]
    datasets: Mapping[str, str] = field(default_factory=dict)
    group: str = "labelled samples"
