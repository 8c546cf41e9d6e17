"""How many labels arms save: from the cells of a table to JSON and the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from results.conftest import PROBE, SUITE, Lab
from results.test_judging import filled

from medssl_bench.plan.chance import Chance
from medssl_bench.report.page.build import page
from medssl_bench.report.study import Study
from medssl_bench.results.cells import Cell
from medssl_bench.results.formats.answer_json import answer_to_json
from medssl_bench.results.formats.label_savings import label_savings_grids
from medssl_bench.results.label_efficiency import Ends, LabelEfficiency, Saving, label_efficiency
from medssl_bench.results.leaderboard import Leaderboard
from medssl_bench.results.tables import Panel, TableResult
from medssl_bench.results.value import Value

SIZES = {"100": 100, "250": 250, "all": 1000}
CURVES = {"arm": (0.70, 0.78, 0.86), "base": (0.55, 0.68, 0.84), "floor": (0.1, 0.1, 0.1)}


def _panel(curves: dict[str, tuple[float, ...]] | None = None, *, lower: bool = False) -> Panel:
    curves = curves or CURVES
    panel = Panel("set", "accuracy", list(SIZES), list(curves), {"floor"})
    for arm, means in curves.items():
        for (budget, size), mean in zip(SIZES.items(), means, strict=True):
            cell = Cell("t", "set", budget, arm, "accuracy", [Value(0, 0, mean)], 1, {Chance(0, 0): f"{arm} {budget}"})
            panel.cells[arm, budget] = replace(cell, labelled=size, higher_is_better=not lower)
    return panel


def _found(panel: Panel, baseline: str | None = "base") -> list[LabelEfficiency]:
    return label_efficiency(TableResult("t", "T", [], baseline, "", [panel], []), None)


def test_the_worked_example_both_ways() -> None:
    """At the baseline's 0.84 the arm needs 250 * 4^0.75 labels; at the arm's values it is the example's ratios."""
    (arm,) = _found(_panel())
    assert (arm.arm, arm.baseline, arm.budgets) == ("arm", "base", SIZES)
    assert (arm.area, arm.difference) == pytest.approx((0.788165, 0.788165 - 0.702299), abs=1e-6)
    assert arm.saved == (
        Saving("100", 1, "more"),
        Saving("250", pytest.approx(2.5), "more"),
        Saving("all", pytest.approx(1000 / (250 * 4**0.75))),
    )
    (turned,) = _found(_panel(), "arm")
    assert [(saving.ratio, saving.bound) for saving in turned.saved] == [
        (pytest.approx(1 / 2.973, abs=1e-4), ""),
        (pytest.approx(1 / 2.378, abs=1e-4), ""),
        (pytest.approx(1), "less"),
    ]


def test_lower_may_be_better() -> None:
    turned = {arm: tuple(1 - mean for mean in means) for arm, means in CURVES.items()}
    (arm,), (error,) = _found(_panel()), _found(_panel(turned, lower=True))
    assert error.saved == tuple(replace(saving, ratio=pytest.approx(saving.ratio)) for saving in arm.saved)
    assert (error.area, error.difference) == pytest.approx((1 - arm.area, -arm.difference))


def test_budgets_that_lack_a_number_do_not_count() -> None:
    panel = _panel()
    panel.cells["arm", "250"].values.clear()
    (arm,) = _found(panel)
    assert arm.budgets == {"100": 100, "all": 1000}
    panel.cells["base", "all"].values.clear()
    assert _found(panel) == [], "one budget is no curve"
    assert _found(_panel(), None) == []
    assert _found(_panel(), "floor") == []


@pytest.fixture
def counted(lab_of: Callable[..., Lab]) -> Lab:
    """Return a lab whose records say how many images are labelled."""
    lab = lab_of(text=SUITE.replace('[100, "all"]', '[100, 250, "all"]'))
    return filled(lab, {PROBE: 0.53}, labelled={"100": 100, "250": 250, "all": 900})


def test_intervals_are_of_all_budgets_together(counted: Lab) -> None:
    (found,) = counted.board.label_efficiency
    assert found.budgets == {"100": 100, "250": 250, "all": 900}
    assert found.left_out == ()
    assert found.area_interval is not None
    assert found.difference_interval is not None
    (low, high), (first, last) = ((each.low, each.high) for each in (found.area_interval, found.difference_interval))
    assert low is not None
    assert high is not None
    assert low < found.area < high
    assert first is not None
    assert last is not None
    assert first < found.difference < last
    assert last - first < high - low, "the same draws and test images are drawn for both arms"
    assert all(saving.interval is not None for saving in found.saved)


def test_json_and_the_page_have_it(counted: Lab) -> None:
    board = counted.board
    (data,) = json.loads(answer_to_json(board))["label_efficiency"]
    assert (data["arm"], data["baseline"], data["metric"]) == (PROBE, "supervised", "accuracy")
    assert [saving["labels"] for saving in data["saved"]] == ["100", "250", "all"]
    assert data["area_interval"].keys() == {"low", "high"}
    (grid,) = label_savings_grids(board.label_efficiency)
    assert [column.name for column in grid.columns][:3] == ["100 labels", "250 labels", "900 labels (all)"]
    assert "Labels saved" in page(Study.of(counted.suite, counted.plan, counted.store))


def test_without_predictions_there_is_no_interval(counted: Lab) -> None:
    board = Leaderboard.of(counted.suite, counted.plan, counted.store, judged=False)
    (found,) = board.label_efficiency
    assert (found.area_interval, found.difference_interval) == (None, None)
    assert {saving.interval for saving in found.saved} == {None}


def test_how_it_is_written() -> None:
    savings = (
        Saving("100", 2.5, "more", Ends(1.2, None)),
        Saving("250", 0.5, "less", Ends(None, 0.7)),
        Saving("all", 12.3, "", Ends(1.0, 2.0)),
    )
    found = LabelEfficiency(
        "t", "set", "accuracy", "arm", "base", SIZES, 0.7, -0.1, Ends(0.6, 0.8), None, savings, ("seed",)
    )
    (grid,) = label_savings_grids([found])
    assert [cell.number for cell in grid.rows[0].cells] == [
        "> 2.50 (from 1.20)", "< 0.50 (up to 0.70)", "12 (1.00 to 2.00)", "0.700 (0.600 to 0.800)", "−0.100",
    ]  # fmt: skip
    assert grid.notes[0].startswith(
        "2.00: with half the labels the arm reaches the value of “base” with those of the column."
    )
    assert grid.notes[2].endswith("; one training seed was run, so others may differ more.")
    assert np.isfinite(found.area)
