"""Which part of a suite is planned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.suite.suite import Suite


@dataclass(frozen=True)
class Selection:
    """Which part of a suite is planned, and how it is scaled.

    Attributes:
        only: ids of comparisons, names of arms, or labels of data sets; a trial must match each kind that is
            named; empty: all.
        seeds: training seeds, instead of the suite's.
        draws: label draws, instead of the suite's.
        epochs_scale: factor on every training, instead of the suite's.
    """

    only: tuple[str, ...] = ()
    seeds: tuple[int, ...] | None = None
    draws: tuple[int, ...] | None = None
    epochs_scale: float | None = None


class Only:
    """What ``--only`` selects: a name selects by comparison, arm or data set, whichever it is the name of."""

    def __init__(self, suite: Suite, names: Sequence[str]) -> None:
        tables = {table.id for table in suite.tables}
        arms = {arm.name for table in suite.tables for arm in table.arms}
        datasets = {dataset.label for table in suite.tables for dataset in table.datasets}
        unknown = [name for name in names if name not in tables | arms | datasets]
        if unknown:
            known = sorted(tables | arms | datasets)
            hint = did_you_mean(unknown[0], known) or f"; there are: {', '.join(known)}"
            raise UserError(f"--only {unknown[0]!r} is no comparison, arm or data set of the suite{hint}")
        self.tables = tables & set(names)
        self.arms = arms & set(names)
        self.datasets = datasets & set(names)

    def wants(self, table: str, *, arm: str | None = None, dataset: str | None = None) -> bool:
        """Return whether a comparison, or an arm or a data set of it, is selected."""
        return all(
            not selected or name is None or name in selected
            for selected, name in ((self.tables, table), (self.arms, arm), (self.datasets, dataset))
        )
