"""Words: which, and how seldom they are wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from medssl_bench.statistics.interval import Estimate, estimate
from medssl_bench.statistics.verdict import Verdict, holm, verdict


def _difference(mean: float, half: float, fixed: frozenset[str] = frozenset()) -> Estimate:
    """Return an estimate with a mean, and half of a 95 % interval, on many degrees of freedom."""
    return Estimate(
        mean,
        (half / float(stats.t.ppf(0.975, 200))) ** 2,
        200,
        (3, 3, 500),
        estimate(np.zeros((3, 3, 5))).squares,
        fixed=fixed,
    )


def test_holms_example() -> None:
    assert holm([0.001, 0.01, 0.03, 0.04]) == pytest.approx([0.004, 0.03, 0.06, 0.06])
    assert holm([0.04, 0.001, 0.03, 0.01]) == pytest.approx([0.06, 0.004, 0.06, 0.03])
    assert holm([]) == []
    assert holm([0.7, 0.9]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_between_no_adjustment_and_bonferronis(p_values: list[float]) -> None:
    for own, adjusted in zip(p_values, holm(p_values), strict=True):
        assert own <= adjusted <= min(1.0, len(p_values) * own) + 1e-12 or adjusted == pytest.approx(own)
    ordered = [adjusted for _, adjusted in sorted(zip(p_values, holm(p_values), strict=True))]
    assert ordered == sorted(ordered)


@pytest.mark.parametrize(
    ("mean", "half", "margin", "text"),
    [
        (0.05, 0.03, None, "better"),
        (-0.05, 0.03, None, "worse"),
        (0.02, 0.03, None, "cannot tell"),
        (0.002, 0.005, None, "cannot tell"),
        (0.002, 0.005, 0.01, "no difference that matters"),
        (0.006, 0.003, 0.01, "better, but within the margin"),
        (-0.006, 0.003, 0.01, "worse, but within the margin"),
        (0.05, 0.03, 0.01, "better"),
        (0.02, 0.03, 0.01, "cannot tell"),
    ],
)
def test_words(mean: float, half: float, margin: float | None, text: str) -> None:
    found = _difference(mean, half)
    told = verdict(found, found.p, margin=margin)
    assert told.text == text
    opposite = {"better": "worse", "worse": "better"}.get(told.word, told.word)
    assert verdict(found, found.p, higher_is_better=False, margin=margin).word == opposite


def test_no_word_of_one_training_seed() -> None:
    found = _difference(0.5, 0.01, frozenset({"seed"}))
    assert verdict(found, found.p, margin=1.0) == Verdict("cannot tell", found.p)


def test_the_adjusted_p_value_decides() -> None:
    found = _difference(0.05, 0.045)
    assert found.p < 0.05
    assert verdict(found, 0.06).word == "cannot tell"


def test_equivalence_is_seldom_false_at_the_margin() -> None:
    """Two arms that differ by the margin: both one-sided tests together are false in at most 5 %."""
    random = np.random.default_rng(0)
    told = []
    for _ in range(600):
        values = 0.02 + random.normal(0, 0.01, (5, 1, 1)) + random.normal(0, 0.01, (1, 5, 1))
        values = values + random.normal(0, 0.2, (5, 5, 400))
        found = estimate(values)
        told.append(verdict(found, 1.0, margin=0.02).word == "no difference that matters")
    assert np.mean(told) <= 0.07
