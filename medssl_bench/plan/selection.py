"""Which part of a suite is planned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.errors import UserError, did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from medssl_bench.plugin.component import Component
    from medssl_bench.suite.suite import Suite
    from medssl_bench.suite.table import Arm, NamedDataset, Table


@dataclass(frozen=True)
class Selection:
    """Which part of a suite is planned, and how it is scaled.

    Attributes:
        only: ids of comparisons, names of arms, or labels of data sets; a trial must match each kind that is
            named; empty: all.
        seeds: training seeds, instead of the suite's.
        draws: label draws, instead of the suite's.
        epochs_scale: factor on every pretraining and fine-tuning, instead of the suite's.
        folds: numbers of the folds of comparisons that have folds; None: all.
    """

    only: tuple[str, ...] = ()
    seeds: tuple[int, ...] | None = None
    draws: tuple[int, ...] | None = None
    epochs_scale: float | None = None
    folds: tuple[int, ...] | None = None

    def folds_of(self, table: Table) -> Sequence[int | None]:
        """Return the numbers of the folds of a comparison that are planned; None: the data sets' own splits.

        Raises:
            UserError: it has no such fold.
        """
        if table.folds == 1:
            return (None,)
        wrong = [fold for fold in self.folds or () if fold >= table.folds]
        if wrong:
            have = f"{table.folds} folds, 0 to {table.folds - 1}"
            raise UserError(f"--folds {wrong[0]}: comparison {table.id!r} has {have}")
        return self.folds or range(table.folds)


class Only:
    """What ``--only`` selects: a name selects by comparison, arm or data set, whichever it is the name of."""

    def __init__(self, suite: Suite, names: Sequence[str]) -> None:
        tables = {table.id for table in suite.tables}
        arms = {name for table in suite.tables for arm in table.arms for name in (arm.name, arm.shown)}
        datasets = {dataset.label for table in suite.tables for dataset in table.datasets}
        unknown = [name for name in names if name not in tables | arms | datasets]
        if unknown:
            known = sorted(tables | arms | datasets)
            hint = did_you_mean(unknown[0], known) or f"; there are: {quoted(known)}"
            raise UserError(f"--only {unknown[0]!r} is no comparison, arm or data set of the suite{hint}")
        self.tables = tables & set(names)
        self.arms = arms & set(names)
        self.datasets = datasets & set(names)

    def datasets_of(self, suite: Suite) -> list[NamedDataset]:
        """Return the data sets of a suite that are selected, those that are pretrained on among them."""
        found: list[NamedDataset] = []
        for table, datasets, arms in self._parts(suite):
            found += datasets
            found += [dataset for arm in with_teachers(table, arms) for link in arm.chain for dataset in link.on]
            found += [other.dataset for other in table.test_on]
        return found

    def components_of(self, suite: Suite) -> list[Component]:
        """Return the components of a suite that what is selected is made of."""
        found = [dataset.component for dataset in self.datasets_of(suite)]
        for table, _, arms in self._parts(suite):
            found += table.analyses
            for arm in with_teachers(table, arms):
                found += [arm.evaluator, arm.encoder]
                for link in arm.chain:
                    found += [link.recipe.method, link.recipe.encoder, link.recipe.augmentation]
        return found

    def _parts(self, suite: Suite) -> Iterator[tuple[Table, list[NamedDataset], list[Arm]]]:
        for table in suite.tables:
            datasets = [found for found in table.datasets if self.wants(table.id, dataset=found.label)]
            arms = self.arms_of(table)
            if datasets and arms:
                yield table, datasets, arms

    def arms_of(self, table: Table) -> list[Arm]:
        """Return the arms of a comparison that are selected; the name that tables show selects all variants."""
        return [arm for arm in table.arms if any(self.wants(table.id, arm=name) for name in {arm.name, arm.shown})]

    def wants(self, table: str, *, arm: str | None = None, dataset: str | None = None) -> bool:
        """Return whether a comparison, or an arm or a data set of it, is selected."""
        return all(
            not selected or name is None or name in selected
            for selected, name in ((self.tables, table), (self.arms, arm), (self.datasets, dataset))
        )


def with_teachers(table: Table, arms: Sequence[Arm]) -> list[Arm]:
    """Return arms of a comparison and those that their recipes learn from."""
    found = list(arms)
    for arm in found:  # grows on the way
        wanted = {link.recipe.model.teacher.arm for link in arm.chain if link.recipe.model.teacher}
        found += [other for other in table.arms if other.name in wanted and other not in found]
    return found
