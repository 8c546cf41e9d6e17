"""A cell of a comparison, as the stages of an arm are planned for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from medssl_bench.plan.chance import fold_text

if TYPE_CHECKING:
    from medssl_bench.datasets.budget import Budget
    from medssl_bench.evaluators import Evaluator
    from medssl_bench.plan.chance import Chance
    from medssl_bench.plan.known_dataset import KnownDataset
    from medssl_bench.plan.stage import Plan, Stage
    from medssl_bench.plan.titles import Titles
    from medssl_bench.plugin.component import Component
    from medssl_bench.suite.table import Arm, NamedDataset, Table


@dataclass(frozen=True)
class Cell:
    """What a trial has beside its arm."""

    table: Table
    dataset: NamedDataset
    known: KnownDataset
    labels: Budget
    chance: Chance

    @property
    def seed(self) -> int:
        """Training seed."""
        return self.chance.seed

    @property
    def draw(self) -> int:
        """Label draw."""
        return self.chance.draw

    @property
    def place(self) -> str:
        """What titles call the data set: its label, with the fold."""
        return self.dataset.label + fold_text(self.chance.fold)


class Planned(Protocol):
    """What a kind of stage may ask, that follows the evaluation of an arm: `StageMaker` answers.

    Attributes:
        plan: where to add stages.
        titles: names encoders and analyses.
    """

    plan: Plan
    titles: Titles

    def known_dataset(self, dataset: NamedDataset) -> KnownDataset:
        """Return what is known of a data set that is not that of the cell."""
        ...

    def evaluator(self, arm: Arm, cell: Cell) -> tuple[Component, Evaluator]:
        """Return the evaluator of an arm."""
        ...

    def embed(self, arm: Arm, cell: Cell, of: Stage | None = None) -> Stage:
        """Add the features of a data set: of the encoder that the arm starts from, or of a trained one."""
        ...

    def is_taught_by_cell(self, arm: Arm) -> bool:
        """Return whether a teacher of an arm has the labels of the cell, rather than a number of its own."""
        ...

    def has_draw(self, stage: Stage) -> bool:
        """Return whether a label draw decides a stage, or one that it builds on."""
        ...
