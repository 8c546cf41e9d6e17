"""Tests across the data sets of a ranking: what they are of, and what is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from results.conftest import PROBE, SUITE, Lab

from medssl_bench.plan.chance import Chance
from medssl_bench.results.across import across
from medssl_bench.results.cells import Cell
from medssl_bench.results.formats.across_text import across_notes
from medssl_bench.results.formats.answer_json import answer_to_json
from medssl_bench.results.formats.grids import ranking_grid
from medssl_bench.results.value import Value
from medssl_bench.statistics.across import friedman

ARMS = ("a", "b", "c", "floor")
SETS = (
    (0.81, 0.83, 0.80, 0.10),
    (0.62, 0.66, 0.61, 0.10),
    (0.90, 0.91, 0.89, 0.10),
    (0.70, 0.74, 0.69, 0.10),
    (0.57, 0.58, 0.55, 0.10),
    (0.77, 0.79, 0.75, 0.10),
    (0.41, 0.42, 0.40, 0.10),
    (0.88, 0.89, 0.86, 0.10),
)


def _column(means: Sequence[float], labels: str = "100", *, lower: bool = False) -> dict[str, Cell]:
    found = {}
    for arm, mean in zip(ARMS, means, strict=True):
        cell = Cell("t", "set", labels, arm, "accuracy", [Value(0, 0, mean)], 1, {Chance(0, 0): arm})
        found[arm] = replace(cell, higher_is_better=not lower)
    return found


def _columns(number: int, *, lower: bool = False) -> dict[str, list[dict[str, Cell]]]:
    return {f"set {place}": [_column(SETS[place], lower=lower)] for place in range(number)}


def test_a_data_set_is_one_row_and_floors_are_none() -> None:
    """By hand: of the budgets of each set the means are 0.5, 0.6 and 0.7, though a is ahead at two of three."""
    budgets = [_column(means) for means in ((0.7, 0.6, 0.1, 0.0), (0.7, 0.6, 0.5, 0.0), (0.1, 0.6, 1.5, 0.9))]
    found = across({f"set {place}": budgets for place in range(5)}, {"floor"}, None)
    assert found is not None
    assert found.friedman is not None
    assert (found.arms, found.friedman.mean_ranks) == (("a", "b", "c"), (3, 2, 1))


def test_lower_may_be_better() -> None:
    (higher, lower) = (across(_columns(5, lower=turned), {"floor"}, None) for turned in (False, True))
    assert higher is not None
    assert lower is not None
    assert higher.friedman == friedman(np.array(SETS)[:5, :3])
    assert lower.friedman is not None
    assert lower.friedman.mean_ranks == pytest.approx([4 - rank for rank in higher.friedman.mean_ranks])


@pytest.mark.parametrize(("datasets", "floors", "least"), [(4, set(), 5), (2, {"floor"}, 5), (7, {"c", "floor"}, 8)])
def test_too_few_data_sets_are_said(datasets: int, floors: set[str], least: int) -> None:
    found = across(_columns(datasets), floors, "a")
    assert across_notes(found) == [f"Too few data sets for a test across them: {datasets}, and {least} are needed."]


def test_nothing_is_said_of_one_data_set_or_one_arm() -> None:
    assert across({}, set(), None) is None
    assert across(_columns(1), {"floor"}, None) is None
    assert across(_columns(8), {"a", "b", "floor"}, None) is None
    assert across_notes(None) == []


def test_arms_that_differ_are_named() -> None:
    test, note = across_notes(across(_columns(6), {"floor"}, "a"))
    assert test == (
        "Across 6 data sets arms differ (p < 0.001; Friedman's test, chi-squared = 12.0). Ahead by more than 1.35 mean "
        "ranks (Nemenyi): “b” of “c”."
    )
    assert note.startswith("Tests across 6 data sets are of means over label budgets, without floors.")


def test_arms_that_do_not_differ_are_not() -> None:
    turned = {f"set {place}": [_column([*np.roll(SETS[0][:3], place).tolist(), 0.1])] for place in range(6)}
    found = across(turned, {"floor"}, "a")
    assert found is not None
    assert found.told_apart == {}
    assert across_notes(found)[0] == (
        "Across 6 data sets it cannot be told whether arms differ (p = 1.000; Friedman's test, F = 0.0, chi-squared = "
        "0.0)."
    )


def test_from_eight_data_sets_on_arms_are_compared_with_the_baseline() -> None:
    found = across(_columns(8), {"floor"}, "a")
    assert found is not None
    assert [(each.arm, each.ahead, each.p) for each in found.against_control] == [
        ("b", 8, pytest.approx(2 / 128)),
        ("c", 0, pytest.approx(2 / 128)),
    ]
    assert "Better than “a” (Wilcoxon's test, Holm): “b” on 8 of 8, p = 0.016; “c” on 0 of 8, p = 0.016." in (
        across_notes(found)
    )
    for few in (across(_columns(7), {"floor"}, "a"), across(_columns(8), {"floor"}, "floor")):
        assert few is not None
        assert few.against_control == ()


def test_the_ranking_and_its_json_have_it(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(text=SUITE.replace('["bloodmnist"]', '["bloodmnist", "pathmnist"]'))
    lab.fill()
    (ranking,) = lab.board.rankings
    assert ranking_grid(ranking).notes[-1] == "Too few data sets for a test across them: 2, and 8 are needed."
    (data,) = json.loads(answer_to_json(lab.board))["rankings"]
    assert data["across"] == {
        "datasets": ["bloodmnist", "pathmnist"],
        "arms": ["supervised", PROBE],
        "friedman": None,
        "control": "supervised",
        "against_control": [],
    }
