"""Arms by data sets: paired differences to the baseline as colours with numbers."""

from __future__ import annotations

import pytest
from figures.conftest import table_of
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from results.test_leaderboard import _panel

from medssl_bench.figures.differences import (
    Difference,
    DifferenceGrid,
    difference_figures,
    difference_grids,
    draw_differences,
)
from medssl_bench.figures.figure import arranged
from medssl_bench.figures.fonts import choose_fonts
from medssl_bench.figures.material import FigureSource
from medssl_bench.results.pairing import contrast
from medssl_bench.results.tables import Panel


def _with_differences(panel: Panel, baseline: str) -> Panel:
    """Give the cells their differences as a leaderboard does."""
    for (arm, labels), cell in panel.cells.items():
        if arm != baseline:
            cell.difference = contrast([(1, cell), (-1, panel.cells[baseline, labels])]).mean
    return panel


def test_the_cells_are_the_paired_differences_and_unpaired_ones_are_left_out() -> None:
    first = _panel(
        {"10": {"base": [0.5, 0.7], "a": [0.6, 0.9], "b": [0.1]}, "20": {"base": [], "a": [0.2]}}, expected=2
    )
    second = _panel({"10": {"base": [0.5, 0.5], "a": None, "b": [0.4, 0.4]}}, expected=2, dataset="other")
    (grid,) = difference_grids([_with_differences(panel, "base") for panel in (first, second)], "base")
    assert grid.labels == "10"
    assert grid.cells == {
        ("a", "set"): Difference(pytest.approx(0.15), True),
        ("b", "set"): Difference(pytest.approx(-0.4), False),
        ("b", "other"): Difference(pytest.approx(-0.1), True),
    }


GRID = DifferenceGrid("100", {("a", "x"): Difference(0.2, True, told=True), ("b", "y"): Difference(-0.1, False)})


@pytest.mark.parametrize("lower", [False, True])
def test_numbers_colours_and_empty_cells(lower: bool) -> None:
    drawn = draw_differences([GRID], ["a", "b"], ["x", "y"], "accuracy minus that of base", lower=lower)
    axes = drawn.axes[0]
    assert {(text.get_text(), text.get_position()) for text in axes.texts} == {("+0.200", (0, 0)), ("−0.100°", (1, 1))}
    assert {text.get_text(): text.get_fontweight() for text in axes.texts} == {"+0.200": "bold", "−0.100°": "normal"}
    (image,) = axes.images
    assert image.get_array().mask.tolist() == [[False, True], [True, False]]
    assert image.get_clim() == (-0.2, 0.2)
    red, _, blue = image.cmap(image.norm(0.2))[:3]
    assert (red > blue) is not lower, "orange is better"
    strong, weak = sorted(axes.texts, key=lambda text: text.get_text())
    assert {to_rgb(strong.get_color()), to_rgb(weak.get_color())} == {(1.0, 1.0, 1.0), (0.0, 0.0, 0.0)}
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a", "b"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["x", "y"]


@pytest.mark.parametrize(("datasets", "budgets"), [(2, 1), (6, 4), (14, 2)])
def test_sixteen_arms_fit_a_page_and_numbers_their_cells(datasets: int, budgets: int) -> None:
    arms = [f"a method with a long name, number {number}" for number in range(16)]
    names = [f"data set {number}" for number in range(datasets)]
    cells = {(arm, name): Difference(-0.123, False) for arm in arms for name in names}
    grids = [DifferenceGrid(str(budget), cells) for budget in range(budgets)]
    drawn = draw_differences(grids, arms, names, "accuracy minus that of a baseline with a long name")
    choose_fonts(drawn)
    assert arranged(drawn, ("generated data",)).width <= 6.9
    renderer = FigureCanvasAgg(drawn).get_renderer()  # else each text keeps one of its own, of 20 MB
    for axes in drawn.axes[:budgets]:
        cell = axes.get_window_extent().width / datasets
        assert all(text.get_window_extent(renderer).width < cell for text in axes.texts)


def test_a_figure_for_a_baseline_and_several_data_sets(source: FigureSource) -> None:
    table, result = table_of(source, "depth")
    assert list(difference_figures(source, table, result)) == [], "it has no baseline"
    result.baseline = "small"
    for panel in result.panels:
        _with_differences(panel, "small")
    (first, *_) = difference_figures(source, table, result)
    assert first.id == "depth-differences-accuracy"
    assert first.marks == ("generated data",)
    assert "a column for each data set (bloodmnist, second)" in first.caption
    assert "\n" not in first.title + first.caption
    axes = first.draw().axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["majority class", "other"]
    panel = result.panel("second", "accuracy")
    assert panel is not None
    cell = panel.cells["other", "all"]
    assert cell.difference is not None
    assert f"{cell.difference:+.3f}".replace("-", "−") in {text.get_text() for text in axes.texts}


def test_one_data_set_has_no_grid(source: FigureSource) -> None:
    assert list(difference_figures(source, *table_of(source, "main"))) == [], "its table has the numbers"
