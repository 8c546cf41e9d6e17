"""The parts of a leaderboard: tables, their panels, and what analyses found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medssl_bench.results.cells import Cell
from medssl_bench.results.pairing import among_best

if TYPE_CHECKING:
    from medssl_bench.published.layout import Layout
    from medssl_bench.results.optimism import Optimism
    from medssl_bench.results.selection import SelectedBy
    from medssl_bench.suite.table import Arm


@dataclass(frozen=True)
class AnalysisRow:
    """What an analysis found of one arm's encoders on one data set, by metric; each a cell over seeds (and draws)."""

    arm: str
    dataset: str
    labels: str | None
    metrics: dict[str, Cell]


@dataclass
class Panel:
    """The part of a table that shows one data set and one metric: arms by label budgets.

    Attributes:
        dataset: label of the data set.
        metric: name of the metric.
        budgets: texts of the label budgets, in order.
        arms: names of the arms, in order, floors first.
        floors: names of the arms that are floors.
        cells: by arm and budget; a cell that is left out is missing.
    """

    dataset: str
    metric: str
    budgets: list[str]
    arms: list[str]
    floors: set[str]
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher value of its metric is better."""
        return all(cell.higher_is_better for cell in self.cells.values())

    def column(self, budget: str) -> dict[str, Cell]:
        """Return the cells of a label budget, by arm."""
        return {arm: self.cells[arm, budget] for arm in self.arms if (arm, budget) in self.cells}

    def best(self, budget: str) -> set[str]:
        """Return the arms that are printed in bold in a column: those that are not told apart from the best one.

        Where there are no verdicts, it is the one by the rule of `leader`, or none.
        """
        return among_best(self.column(budget))

    def highest(self, budget: str) -> list[str]:
        """Return the arms with the best mean in a column, as far as it is printed; none while it is incomplete.

        It says nothing of whether they are better than others. An arm some of whose trials failed is not among them:
        what is left of it may be its lucky half.
        """
        column = self.column(budget)
        if any(cell.is_waiting for cell in column.values()):
            return []
        known = {arm: cell.score for arm, cell in column.items() if cell.score is not None and not cell.lost}
        return [arm for arm, value in known.items() if value == max(known.values())]


@dataclass
class TableResult:
    """One comparison with its numbers.

    Attributes:
        id: of the comparison.
        title: heading.
        marks: what a reader must know: generated data, scaled, what epochs are selected by, a control, the leaks.
        baseline: the arm that others are compared with, or None.
        citation: where the reference numbers were published, or an empty string.
        panels: one for each data set and metric.
        analyses: what the analyses found.
        layout: its shape as it was published, or None.
        published: names that the published table calls the data sets by, by label.
        reference: name of the published table, such as ``table-7.1``, or an empty string.
        leaks: what the splits of its data sets share; two tables that differ in it alone can be ranked together.
        arms: what its arms are; two tables with the same ones can be ranked together.
        selection: what its epochs are selected by; its mark is among `marks`.
        margin: the largest difference to the baseline that does not matter, or None.
        holm: whether verdicts are adjusted for the arms of a ``column``, or for all columns of the ``table``.
        added: a line, where seeds or draws were added after a first complete table; else an empty string.
        optimism: what choosing the epoch on test would gain, of a comparison that spies; no ranking has it.
    """

    id: str
    title: str
    marks: list[str]
    baseline: str | None
    citation: str
    panels: list[Panel]
    analyses: list[AnalysisRow]
    layout: Layout | None = None
    published: dict[str, str] = field(default_factory=dict)
    reference: str = ""
    leaks: tuple[str, ...] = ()
    arms: tuple[Arm, ...] = ()
    selection: SelectedBy | None = None
    margin: float | None = None
    holm: str = "column"
    added: str = ""
    optimism: list[Optimism] = field(default_factory=list)

    def panel(self, dataset: str, metric: str) -> Panel | None:
        """Return the panel of a data set and a metric, or None."""
        found = [panel for panel in self.panels if (panel.dataset, panel.metric) == (dataset, metric)]
        return found[0] if found else None

    def cells(self) -> list[Cell]:
        """Return every cell of its panels."""
        return [cell for panel in self.panels for cell in panel.cells.values()]

    def analysed(self) -> list[Cell]:
        """Return every cell of its analyses."""
        return [cell for row in self.analyses for cell in row.metrics.values()]
