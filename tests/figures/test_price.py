"""The price of pretrainings as a figure: points, names, the Pareto line."""

from __future__ import annotations

from itertools import pairwise

import pytest
from figures.conftest import Ran, table_of
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from medssl_bench.figures.figure import arranged
from medssl_bench.figures.fonts import choose_fonts
from medssl_bench.figures.material import FigureSource
from medssl_bench.figures.price import draw_price, price_figures, spread
from medssl_bench.figures.style import looks
from medssl_bench.results.price import Deal, Price, PricedArm


def _price(points: dict[str, tuple[float, float]], labels: str = "100", worth: tuple[str, ...] = ()) -> Price:
    arms = [
        PricedArm(arm, {"bloodmnist": Deal(gain, seconds)}, arm in worth) for arm, (seconds, gain) in points.items()
    ]
    arms.sort(key=lambda point: point.seconds)
    return Price("main", "accuracy", labels, "untrained", True, ("bloodmnist",), tuple(arms), (), ("cpu: x",), 1)


POINTS = {"a": (10.0, 0.1), "b": (100.0, 0.3), "c": (120.0, 0.2)}


def test_points_names_and_the_line() -> None:
    drawn = draw_price([_price(POINTS, worth=("a", "b"))], looks(POINTS), "accuracy over untrained")
    (axes,) = drawn.axes
    assert (axes.get_xscale(), axes.get_title()) == ("log", "100 labels")
    assert axes.get_xlabel() == "processor time of pretraining (s, log scale)"
    assert axes.get_ylabel() == "gain in accuracy over untrained"
    points = [line.get_xydata().tolist() for line in axes.lines if line.get_linestyle() == "None"]
    assert sorted(point for (point,) in points) == [[10, 0.1], [100, 0.3], [120, 0.2]]
    (line,) = [line for line in axes.lines if line.get_drawstyle() == "steps-post"]
    assert line.get_ydata().tolist() == [0.1, 0.3, 0.3]
    assert line.get_xdata().tolist()[:2] == [10, 100]
    assert {text.get_text(): text.xy for text in axes.texts} == POINTS
    bold = [text.get_text() for text in axes.texts if text.get_fontweight() == "bold"]
    assert sorted(bold) == ["a", "b"]


def test_equal_costs_and_no_gain_can_be_drawn() -> None:
    price = _price({"a": (7.0, -0.1), "b": (7.0, -0.1), "c": (7.0, -0.2)})
    (axes,) = draw_price([price], looks("abc"), "accuracy").axes
    low, high = axes.get_xlim()
    assert high / low >= 4.9
    assert len([tick for tick in axes.get_xticks() if low <= tick <= high]) >= 3, "two would look like a linear axis"
    assert not [line for line in axes.lines if line.get_drawstyle() == "steps-post"]


def test_sixteen_arms_at_three_budgets_fit_a_page_and_names_do_not_overlap() -> None:
    points = {f"a method with a long name {n:02}": (50.0 + n, 0.3 + 0.001 * n) for n in range(16)}
    drawn = draw_price([_price(points, labels) for labels in ("100", "250", "1000")], looks(points), "accuracy over x")
    choose_fonts(drawn)
    assert arranged(drawn, ("generated data",)).width <= 6.9
    renderer = FigureCanvasAgg(drawn).get_renderer()  # else each text keeps one of its own, of 20 MB
    for axes in drawn.axes[:3]:
        boxes = sorted((Text.get_window_extent(text, renderer) for text in axes.texts), key=lambda box: box.y0)
        for below, above in pairwise(boxes):
            assert below.y1 - above.y0 < 0.25 * below.height, "but for what hangs below the line"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9).map(sorted))
@settings(deadline=None)
def test_heights_are_apart_and_not_above_the_panel(wanted: list[float]) -> None:
    found = spread(wanted, 0.1)
    assert all(above - below >= 0.1 - 1e-9 for below, above in pairwise(found))
    assert found[-1] <= 1 + 1e-9
    assert found[0] >= 0


def test_heights_that_are_apart_stay_and_others_move_alike() -> None:
    assert spread([0.1, 0.5, 0.9], 0.1) == pytest.approx([0.1, 0.5, 0.9])
    assert spread([0.5, 0.5, 0.5], 0.1) == pytest.approx([0.4, 0.5, 0.6])
    assert spread([1.0, 1.0], 0.1) == pytest.approx([0.9, 1.0])


def test_two_arms_with_pretrainings_have_no_figure_and_three_without_numbers_a_reason(ran: Ran) -> None:
    reasons: list[str] = []
    source: FigureSource = ran.source(left_out=reasons.append)
    assert list(price_figures(source, *table_of(source, "main"))) == []
    assert reasons == []


def test_a_figure_for_each_metric_with_what_must_be_known(source: FigureSource) -> None:
    table, result = table_of(source, "main")
    source.board.prices = [_price({"frozen": (2.0, 0.1), "waving, unfrozen": (1.0, 0.2)}, worth=("waving, unfrozen",))]
    (figure,) = price_figures(source, table, result)
    assert figure.id == "main-price-accuracy"
    assert figure.marks == ("generated data",)
    assert "Seconds: measured processor time" in figure.caption
    assert "Generated data." in figure.caption
    assert "\n" not in figure.title + figure.caption
    assert figure.draw().axes[0].get_title() == "100 labels"
