"""Agreement with published numbers against intervals from SciPy."""

from __future__ import annotations

import pytest
from scipy import stats

from medssl_bench.report.agreement import agreement
from medssl_bench.report.cells import Cell, Value


def _cell(values: list[float], reference: float | None, scaled: float | None = None) -> Cell:
    found = [Value(0, draw, value) for draw, value in enumerate(values)]
    return Cell("t", "d", "100", "a", "accuracy", found, len(values), reference=reference, scaled=scaled)


def test_a_number_agrees_within_the_prediction_interval() -> None:
    values = [0.70, 0.72, 0.75]
    sample = stats.describe(values)
    half = stats.t.interval(0.95, 2)[1] * (sample.variance * (1 + 1 / 3)) ** 0.5
    for reference, verdict in ((sample.mean + 0.99 * half, "agree"), (sample.mean + 1.01 * half, "differ")):
        found = agreement([_cell(values, reference)])
        assert found is not None
        assert getattr(found, verdict) == 1


def test_one_value_tells_nothing_and_scaled_ones_are_not_compared() -> None:
    cells = [
        _cell([0.7], 0.7),
        _cell([], 0.7),
        _cell([0.1, 0.2], 0.7, scaled=0.5),
        _cell([0.7, 0.7], 0.7),
        _cell([0.9], None),
    ]
    found = agreement(cells)
    assert found is not None
    counts = (found.agree, found.differ, found.untold, found.missing, found.scaled, found.published)
    assert counts == (1, 0, 1, 1, 1, 4)
    assert found.median_gap == pytest.approx(0.0)
    assert found.text == (
        "Of 4 numbers that were published, 1 of 1 agree with the published ones, 1 cannot be told (one value each), "
        "1 are scaled and not compared, 1 are not there yet; median absolute difference 0.000."
    )


def test_without_published_numbers_there_is_nothing_to_agree_with() -> None:
    assert agreement([_cell([0.7], None)]) is None
