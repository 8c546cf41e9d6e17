"""The parts of a resolved suite: data sets, recipes, arms and tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.datasets.budget import Budget
    from medssl_bench.metrics import Metric
    from medssl_bench.metrics.criterion import Criterion
    from medssl_bench.plugin.component import Component
    from medssl_bench.suite.schema import Comparison, Pretraining


@dataclass(frozen=True)
class NamedDataset:
    """A data set as tables call it.

    Attributes:
        label: the name in tables; unique among the data sets of a comparison.
        component: what it is.
        key: where the suite names it, for messages.
        place: where the suite says what it is: `key`, or a table of its own.
    """

    label: str
    component: Component
    key: tuple[str | int, ...]
    place: tuple[str | int, ...]


@dataclass(frozen=True)
class OtherSet:
    """Another data set whose test images classifiers predict.

    Attributes:
        dataset: the data set.
        classes: for classes that were trained on, the classes of the other set; empty: those of the same name.
    """

    dataset: NamedDataset
    classes: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Recipe:
    """A recipe with its components."""

    name: str
    model: Pretraining
    method: Component
    encoder: Component
    augmentation: Component
    optimizer: Component
    schedule: Component


@dataclass(frozen=True)
class Link:
    """One pretraining of an arm's chain; `on` has its data sets, and is empty for the one that is evaluated."""

    recipe: Recipe
    on: tuple[NamedDataset, ...] = ()

    def source(self, evaluated: str) -> str:
        """Return what tables call that which it pretrains on, where `evaluated` is the data set that is evaluated."""
        return " + ".join(dataset.label for dataset in self.on) or evaluated


@dataclass(frozen=True)
class Arm:
    """One way to get a classifier.

    Attributes:
        name: unique within its comparison.
        chain: pretrainings, each starting from the one before.
        evaluator: what is made of the encoder.
        encoder: the encoder; of a chain, its first recipe's.
        floor: whether the harness added it as a floor.
        variant_of: name of the arm that tables show for it and the others with that name; empty: its own.
        variants: of an arm in the place of several, their names.
        problem: why it could not be chosen of these, or an empty string.
    """

    name: str
    chain: tuple[Link, ...]
    evaluator: Component
    encoder: Component
    floor: bool = False
    variant_of: str = ""
    variants: tuple[str, ...] = ()
    problem: str = ""

    @property
    def shown(self) -> str:
        """Its name in tables."""
        return self.variant_of or self.name


@dataclass(frozen=True)
class Table:
    """A comparison with its components, the floors among its arms; `metrics` has what its columns are.

    With `folds` above 1 the images of each data set are shared out to as many folds.

    Arms and metrics whose evaluator does not measure that metric are in `not_measured`. `criterion` is the metric that
    epochs are chosen by, or None where the suite names none. `test_on` has the other sets that are predicted.
    """

    model: Comparison
    datasets: tuple[NamedDataset, ...]
    arms: tuple[Arm, ...]
    analyses: tuple[Component, ...]
    seeds: tuple[int, ...]
    draws: tuple[int, ...]
    folds: int = 1
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    not_measured: frozenset[tuple[str, str]] = frozenset()
    criterion: Criterion | None = None
    test_on: tuple[OtherSet, ...] = ()

    @property
    def id(self) -> str:
        """Name of the table."""
        return self.model.id

    @property
    def title(self) -> str:
        """Heading of the table."""
        return self.model.title or self.model.id

    @property
    def labels(self) -> tuple[Budget, ...]:
        """The label budgets, in the order of the columns."""
        return tuple(self.model.labels)
