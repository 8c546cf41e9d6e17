"""Contrasts of cells, against pairs that are made by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from results.conftest import PROBE, SUITE, Lab

from medssl_bench.plan.chance import Chance
from medssl_bench.results.cells import Cell
from medssl_bench.results.pairing import contrast, leader
from medssl_bench.results.value import Value


def _cell(arm: str, stages: dict[Chance, str], measured: dict[str, float]) -> Cell:
    cell = Cell("t", "d", "100", arm, "accuracy", stages=stages, expected=len(set(stages.values())))
    first = {stage: place for place, stage in reversed(stages.items())}
    cell.values = [Value(*first[stage][:2], value) for stage, value in measured.items()]
    return cell


PLACES = [Chance(seed, draw) for seed in range(3) for draw in range(3)]


def test_nine_pairs_with_an_arm_of_one_value() -> None:
    frozen = _cell("frozen", {p: f"f{p}" for p in PLACES}, {f"f{p}": 0.5 + 0.1 * p[0] + 0.01 * p[1] for p in PLACES})
    majority = _cell("majority", dict.fromkeys(PLACES, "m"), {"m": 0.2})
    found = contrast([(1, frozen), (-1, majority)])
    assert (found.n, found.expected, found.arm) == (9, 9, "frozen − majority")
    assert found.mean == pytest.approx(0.3 + 0.1 + 0.01)
    back = contrast([(1, majority), (-1, frozen)])
    assert [value.value for value in back.values] == pytest.approx([-value.value for value in found.values])


def test_two_arms_without_draws_have_a_pair_for_each_seed() -> None:
    one = _cell("a", {p: f"a{p[0]}" for p in PLACES}, {"a0": 0.5, "a1": 0.6, "a2": 0.7})
    other = _cell("b", {p: f"b{p[0]}" for p in PLACES}, {"b0": 0.4, "b1": 0.4, "b2": 0.4})
    found = contrast([(1, one), (-1, other)])
    assert [(value.seed, value.draw) for value in found.values] == [(0, 0), (1, 0), (2, 0)]
    assert [value.value for value in found.values] == pytest.approx([0.1, 0.2, 0.3])


def test_a_seed_or_draw_that_one_arm_lacks_does_not_count() -> None:
    one = _cell("a", {Chance(0, 0): "a0", Chance(1, 0): "a1", Chance(2, 0): "a2"}, {"a0": 0.5, "a1": 0.6})
    other = _cell("b", {Chance(1, 0): "b1", Chance(2, 0): "b2"}, {"b1": 0.5, "b2": 0.5})
    other.lost = {}
    found = contrast([(1, one), (-1, other)])
    assert ([value.value for value in found.values], found.expected) == ([pytest.approx(0.1)], 2)
    assert found.is_waiting
    one.lost = {"a2": "blocked"}
    found = contrast([(1, one), (-1, other)])
    assert (found.failed, found.blocked, found.is_waiting) == (0, 1, False)


@settings(deadline=None)
@given(st.data())
def test_a_contrast_is_the_mean_over_distinct_pairs(data: st.DataObject) -> None:
    """Against a loop over all seeds and draws, which averages each pair of stages once, in numbers that add exactly."""
    cells = []
    for arm in "ab":
        kinds = data.draw(st.sampled_from(["seed", "draw", "both", "none"]))
        name = {"seed": lambda p: p[0], "draw": lambda p: p[1], "both": lambda p: p, "none": lambda _: 0}[kinds]
        stages = {p: f"{arm}{name(p)}" for p in data.draw(st.sets(st.sampled_from(PLACES), min_size=1))}
        measured = {stage: data.draw(st.integers(0, 64)) / 64 for stage in dict.fromkeys(stages.values())}
        cells.append((_cell(arm, stages, measured), stages, measured))
    (one, stages, here), (other, others, there) = cells
    wanted = {(stages[p], others[p]): here[stages[p]] - there[others[p]] for p in PLACES if p in stages and p in others}
    found = contrast([(1, one), (-1, other)])
    assert sorted(value.value for value in found.values) == sorted(wanted.values())
    assert found.expected == len(wanted)


def test_one_pairing_everywhere(lab_of: Callable[..., Lab]) -> None:
    """The difference of a table is that of the same cells, put together by hand from the results."""
    lab = lab_of(SUITE.replace("draws = [0, 1]", "draws = [0, 1, 2]"))
    lab.fill()
    panel = lab.board.tables[0].panels[0]
    for arm in (PROBE, "majority class"):
        for labels, pairs in (("100", 6), ("all", 2)):
            cell, baseline = panel.cells[arm, labels], panel.cells["supervised", labels]
            assert (cell.difference, cell.pairs) == (contrast([(1, cell), (-1, baseline)]).mean, pairs)


def test_the_leader_is_ahead_also_of_an_arm_of_one_value() -> None:
    frozen = _cell("frozen", {p: f"f{p}" for p in PLACES}, {f"f{p}": 0.5 + 0.1 * p[0] for p in PLACES})
    floor = _cell("floor", dict.fromkeys(PLACES, "m"), {"m": 0.49})
    assert leader({"frozen": frozen, "floor": floor}) == "frozen"
    assert leader({"frozen": frozen, "floor": _cell("floor", dict.fromkeys(PLACES, "m"), {"m": 0.55})}) is None
    high = _cell("floor", dict.fromkeys(PLACES, "m"), {"m": 0.95})
    assert leader({"frozen": frozen, "floor": high}) is None, "one value is never bold"
