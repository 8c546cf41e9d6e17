"""Histories as curves, and their smoothing against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.figures.curves import curve, smoothed

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


@given(VALUES, st.floats(0, 0.99))
def test_smoothing_is_the_average_of_the_smoothed_past(values: list[float], weight: float) -> None:
    expected = [values[0]]
    for value in values[1:]:
        expected.append((1 - weight) * value + weight * expected[-1])
    assert smoothed(np.array(values), weight) == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(VALUES)
def test_smoothed_values_stay_within_the_raw_ones(values: list[float]) -> None:
    found = smoothed(np.array(values))
    assert min(values) - 1e-6 <= found.min()
    assert found.max() <= max(values) + 1e-6


def test_smoothing_changes_nothing_it_was_given() -> None:
    values = np.array([1.0, 0.0, 1.0])
    assert smoothed(values) == pytest.approx([1.0, 0.6, 0.76])
    assert values.tolist() == [1.0, 0.0, 1.0]


def test_epochs_count_from_one_and_those_without_the_metric_are_left_out() -> None:
    history = [{"epoch": 0.0, "a": 1.0}, {"epoch": 1.0, "b": 2.0}, {"epoch": 4.0, "a": 3.0, "b": 0.0}]
    found = curve(history, "a")
    assert (found.epochs.tolist(), found.values.tolist()) == ([1.0, 5.0], [1.0, 3.0])
    assert len(curve(history, "missing")) == 0
