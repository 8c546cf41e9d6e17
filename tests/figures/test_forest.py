"""The forest plot: the differences of the leaderboard with their intervals."""

from __future__ import annotations

import pytest
from figures.conftest import table_of
from matplotlib.colors import to_rgb

from medssl_bench.figures.figure import arranged
from medssl_bench.figures.fonts import choose_fonts
from medssl_bench.figures.forest import ForestPanel, ForestRow, _by_figure, draw_forest, forest_figures
from medssl_bench.figures.material import FigureSource

ROWS = (
    ForestRow("a", 0.1, 0.05, 0.15, "better"),
    ForestRow("b", -0.1, -0.2, -0.01, "worse, but within the margin"),
    ForestRow("c", 0.0, -0.01, 0.01, "no difference that matters"),
    ForestRow("d", 0.0, -0.1, 0.1, "cannot tell"),
)
BLUE, RED, GREY, WHITE = (to_rgb(name) for name in ("#0072B2", "#D55E00", "#767676", "white"))


def test_points_intervals_and_colours() -> None:
    drawn = draw_forest(
        [ForestPanel("set\n100 labels", ROWS)], ["a", "b", "c", "d"], "accuracy minus that of base", 0.02
    )
    (axes,) = drawn.axes
    _, *lines = axes.lines
    spans, points = lines[::2], lines[1::2]
    assert [tuple(span.get_xdata()) for span in spans] == [(row.low, row.high) for row in ROWS]
    assert [(point.get_xdata()[0], point.get_ydata()[0]) for point in points] == [
        (row.mean, place) for place, row in enumerate(ROWS)
    ]
    colours = [(to_rgb(point.get_color()), to_rgb(point.get_markerfacecolor())) for point in points]
    assert colours == [(BLUE, BLUE), (RED, RED), (GREY, GREY), (GREY, WHITE)]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a", "b", "c", "d"]
    low, high = axes.get_ylim()
    assert low > high, "the first arm is at the top"
    assert axes.get_title() == "set\n100 labels"


@pytest.mark.parametrize(("panels", "columns"), [(1, 4), (8, 4), (6, 3)])
def test_many_arms_fit_a_page(panels: int, columns: int) -> None:
    arms = [f"a method with a long name, number {number}" for number in range(16)]
    rows = tuple(ForestRow(arm, 0.1, 0.0, 0.2, "") for arm in arms)
    many = [ForestPanel(f"a data set with a long name, {number}\n100 labels", rows) for number in range(panels)]
    drawn = draw_forest(many, arms, "accuracy minus that of a baseline", columns=columns)
    choose_fonts(drawn)
    assert arranged(drawn, ("generated data",)).width <= 6.9


def test_data_sets_that_are_too_high_together_go_to_further_figures() -> None:
    panels = {f"set {number}": [ForestPanel("", ROWS)] * 3 for number in range(6)}
    assert _by_figure(panels, 3, 4) == [list(panels)], "six rows of an inch"
    assert [len(part) for part in _by_figure(panels, 3, 16)] == [3, 3]
    assert [len(part) for part in _by_figure(panels, 3, 100)] == [1] * 6


def test_a_figure_for_a_comparison_with_a_baseline(source: FigureSource) -> None:
    table, result = table_of(source, "main")
    (found,) = forest_figures(source, table, result)
    assert (found.id, found.marks) == ("main-forest-accuracy", ("generated data",))
    assert "with the 95 % interval, for other label draws and test images" in found.caption
    assert "No verdicts: the differences may be luck." in found.caption
    assert "\n" not in found.title + found.caption
    axes = found.draw().axes
    assert [ax.get_title() for ax in axes] == [f"bloodmnist\n{labels} labels" for labels in ("20", "40", "all")]
    assert [tick.get_text() for tick in axes[0].get_yticklabels()] == ["frozen", "waving, unfrozen"]
    panel = result.panel("bloodmnist", "accuracy")
    assert panel is not None
    difference = panel.cells["frozen", "20"].judged.difference
    assert difference is not None
    assert tuple(axes[0].lines[1].get_xdata()) == difference.interval()
    assert list(forest_figures(source, *table_of(source, "depth"))) == [], "it has no baseline"
