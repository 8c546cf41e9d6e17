"""The figure of mean ranks over data sets: lines join what is not told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medssl_bench.figures.critical_difference import (
    critical_difference_figures,
    draw_critical_difference,
    groups_of,
)
from medssl_bench.figures.figure import arranged
from medssl_bench.figures.fonts import choose_fonts
from medssl_bench.figures.material import FigureSource
from medssl_bench.results.across import Across
from medssl_bench.statistics.across import friedman


def test_groups_by_hand() -> None:
    assert groups_of([10 / 3, 2, 3.5, 7 / 6], 1.914843) == [(7 / 6, 2), (2, 3.5)]
    assert groups_of([1, 2, 3], 2) == [(1, 3)]
    assert groups_of([1, 2.5, 4], 1) == []
    assert groups_of([2, 2, 4], 1) == [(2, 2)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(2, 20), min_size=2, max_size=8), st.integers(1, 8))
def test_two_arms_share_a_line_exactly_where_they_are_not_told_apart(doubled: list[int], critical: int) -> None:
    ranks = [rank / 2 for rank in doubled]
    groups = groups_of(ranks, critical)
    for number, one in enumerate(ranks):
        for other in ranks[:number]:
            joined = any(low <= min(one, other) and max(one, other) <= high for low, high in groups)
            assert joined is (abs(one - other) <= critical)


@pytest.mark.parametrize("arms", [3, 16])
def test_arms_stand_at_their_ranks_and_fit_a_page(arms: int) -> None:
    names = [f"a method with a long name, number {number}" for number in range(arms)]
    ranks = np.linspace(1, arms, arms).tolist()
    drawn = draw_critical_difference(names, ranks, 1.5)
    choose_fonts(drawn)
    assert arranged(drawn, ("generated data",)).width <= 6.9
    (axes,) = drawn.axes
    texts = [text.get_text().strip() for text in axes.texts]
    assert "critical difference 1.50" in texts
    assert f"{names[0]}  1.00" in texts
    assert f"{arms}.00  {names[-1]}" in texts
    thick = [line for line in axes.lines if line.get_linewidth() == 2.5]
    assert len(thick) == arms - 1, "each joins two neighbours"


def test_a_figure_for_a_ranking_with_a_test(source: FigureSource) -> None:
    assert list(critical_difference_figures(source)) == [], "there are two data sets at most"
    values = np.array([[0.1, 0.2, 0.3]] * 4 + [[0.2, 0.1, 0.3]])
    found = Across(("main",), ("bloodmnist",) * 5, ("a", "b", "c"), friedman(values))
    source.board.rankings[:] = [replace(source.board.rankings[0], across=found)]
    (figure,) = critical_difference_figures(source)
    assert (figure.id, figure.comparison) == ("main-critical-difference-accuracy", "main")
    assert figure.marks == ("generated data",)
    assert "differ by no more than the critical difference 1.48 (Nemenyi, 5 %)" in figure.caption
    assert "\n" not in figure.title + figure.caption
    assert {"c  1.00", "2.80  a"} <= {text.get_text().strip() for text in figure.draw().axes[0].texts}
