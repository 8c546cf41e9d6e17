"""The parts of a leaderboard: tables, their panels, and what analyses found."""

from __future__ import annotations

from dataclasses import dataclass, field

from medssl_bench.report.cells import Cell

METRIC_NAMES = {"accuracy": "accuracy", "auroc": "AUROC", "balanced_accuracy": "balanced accuracy"}


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

    def best(self, budget: str) -> set[str]:
        """Return the arms with the highest mean in a column, as far as it is printed; none while it is incomplete."""
        column = {arm: self.cells[arm, budget] for arm in self.arms if (arm, budget) in self.cells}
        known = {arm: round(cell.mean, 3) for arm, cell in column.items() if cell.mean is not None}
        if not known or any(cell.n + cell.failed < cell.expected for cell in column.values()):
            return set()
        return {arm for arm, value in known.items() if value == max(known.values())}


@dataclass
class TableResult:
    """One comparison with its numbers.

    Attributes:
        id: of the comparison.
        title: heading.
        marks: what a reader must know: generated data, scaled, selected on test, a control.
        baseline: the arm that others are compared with, or None.
        citation: where the reference numbers were published, or an empty string.
        panels: one for each data set and metric.
        analyses: what the analyses found.
    """

    id: str
    title: str
    marks: list[str]
    baseline: str | None
    citation: str
    panels: list[Panel]
    analyses: list[AnalysisRow]
