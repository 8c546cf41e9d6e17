"""Labels that are needed and saved: a worked example, another hand's regression, and what is never extrapolated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import trapezoid
from sklearn.isotonic import IsotonicRegression

from medssl_bench.statistics.label_efficiency import area, ends, needed, rising, saved

LABELS = np.array([100.0, 250.0, 1000.0])
LOGS = np.log(LABELS)
ARM, BASELINE = np.array([0.70, 0.78, 0.86]), np.array([0.55, 0.68, 0.84])


def test_a_worked_example() -> None:
    assert [area(LOGS, ARM), area(LOGS, BASELINE)] == pytest.approx([0.788165, 0.702299], abs=1e-6)
    for level, labels, ratio in ((0.78, 594.6, 2.378), (0.70, 297.3, 2.973)):
        low, high = needed(LOGS, BASELINE, np.array(level))
        assert low == high
        assert np.exp(low) == pytest.approx(labels, abs=0.05)
        assert saved(LOGS, ARM, BASELINE, np.array(level)) == pytest.approx((ratio, ratio), abs=5e-4)


def test_nothing_is_extrapolated() -> None:
    of_arm = [tuple(np.exp(needed(LOGS, ARM, np.array(level)))) for level in (0.6, 0.7, 0.86, 0.87)]
    assert of_arm == [(0, pytest.approx(100)), (pytest.approx(100),) * 2, (pytest.approx(1000),) * 2,
                      (pytest.approx(1000), np.inf)]  # fmt: skip
    assert saved(LOGS, ARM, BASELINE, np.array(0.68)) == (pytest.approx(2.5), np.inf), "more than 2.5 times fewer"
    assert saved(LOGS, BASELINE, ARM, np.array(0.86)) == (0, pytest.approx(1)), "the baseline's 0.86 is not reached"


def test_a_level_is_reached_where_a_curve_first_has_it() -> None:
    flat = np.array([0.5, 0.7, 0.7])
    assert np.exp(needed(LOGS, flat, np.array(0.7))) == pytest.approx([250, 250])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_the_rising_curve_is_that_of_scikit_learn(values: list[float]) -> None:
    wanted = IsotonicRegression().fit_transform(np.arange(len(values)), values)
    assert rising(np.array(values)) == pytest.approx(wanted, abs=1e-9)


def test_many_curves_at_once() -> None:
    values = np.random.default_rng(0).random((3, 7, 4))
    logs = np.log([10.0, 20.0, 50.0, 100.0])
    found = rising(values)
    assert (np.diff(found) >= 0).all()
    assert found[1, 2] == pytest.approx(rising(values[1, 2]))
    level = found[..., 2]
    low, high = needed(logs, found, level)
    assert low[1, 2] == needed(logs, found[1, 2], level[1, 2])[0]
    assert (high <= logs[2] + 1e-12).all(), "its own value at the third number is reached there, or before"
    assert area(logs, values)[1, 2] == pytest.approx(trapezoid(values[1, 2], logs) / (logs[-1] - logs[0]))


def test_ends_may_be_open() -> None:
    low, high = np.linspace(1, 2, 101), np.full(101, np.inf)
    assert ends(low, high) == (pytest.approx(1.02), np.inf)
    assert ends(low, low) == (pytest.approx(1.02), pytest.approx(1.98))
