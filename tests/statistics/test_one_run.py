"""What one more run would give: by hand, by the prediction of designs, and by runs that are simulated."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray

from medssl_bench.statistics.design import Design, _predicted
from medssl_bench.statistics.interval import estimate
from medssl_bench.statistics.layout import Components
from medssl_bench.statistics.one_run import OneRun, reruns_won


def _example() -> NDArray[np.float64]:
    s, d, i = np.ogrid[:3, :3, :30]
    one = (7 * i + 2 * s + 3 * d) % 10 < 6
    other = (7 * i + 2 * s + 3 * d + (i % 4 == 0) + (i * s * d) % 3) % 10 < 7 + (s == 2)
    return other.astype(float) - one


def test_by_hand() -> None:
    """The components of the worked example are 0.001852 of seeds, 0.136271 of what is left, and nothing of others."""
    found = estimate(_example())
    parts = OneRun.of(found)
    assert (parts.seed, parts.draw, parts.cell) == (pytest.approx(sqrt(0.0018519), abs=1e-5), 0, 0)
    assert parts.image == pytest.approx(sqrt(0.136271 / 30), abs=1e-6)
    won = NormalDist().cdf(0.114815 / sqrt(0.0018519 + 0.136271 / 30))
    assert reruns_won(found) == pytest.approx(won, abs=1e-5)
    assert reruns_won(found, higher_is_better=False) == pytest.approx(1 - won, abs=1e-5)


def test_it_is_the_prediction_of_a_design_of_one_seed_and_one_draw() -> None:
    random = np.random.default_rng(0)
    found = estimate(random.normal(size=(4, 3, 60)) + random.normal(size=(4, 1, 1)) + random.normal(size=(1, 1, 60)))
    variance, _ = _predicted(Components.of(found.squares, found.shape), Design(1, 1), 60)
    assert OneRun.of(found).total ** 2 == pytest.approx(variance)


def test_it_is_how_often_a_run_is_ahead() -> None:
    """Many runs tell the components well, so the share of single runs that are ahead must be what it says."""
    random = np.random.default_rng(1)
    seed, draw = 0.03 * random.normal(size=(300, 1)), 0.02 * random.normal(size=(1, 300))
    cell, image = 0.02 * random.normal(size=(300, 300)), 0.3 * random.normal(size=(1, 1, 40))
    values = (seed + draw + cell)[:, :, None] + image + 0.2 * random.normal(size=(300, 300, 40))
    found = estimate(values + 0.03 - values.mean())
    runs = 0.03 + 0.03 * random.normal(size=20_000) + 0.02 * random.normal(size=(2, 20_000)).sum(0)
    runs += sqrt((0.3**2 + 0.2**2) / 40) * random.normal(size=20_000)
    assert reruns_won(found) == pytest.approx((runs > 0).mean(), abs=0.03)


def test_what_was_not_varied_is_not_there() -> None:
    values = np.random.default_rng(2).normal(size=(1, 3, 20))
    one_seed = estimate(values, fixed=frozenset({"seed"}))
    assert reruns_won(one_seed) is None
    parts = OneRun.of(one_seed)
    assert (parts.seed, parts.cell) == (None, None)
    one_draw = OneRun.of(estimate(values.swapaxes(0, 1), fixed=frozenset({"draw"})))
    assert (one_draw.draw, one_draw.cell) == (None, None)
    all_labels = OneRun.of(estimate(values.swapaxes(0, 1)))
    assert (all_labels.draw, all_labels.cell) == (0, 0), "all labels have no draws that could vary"


def test_runs_that_are_all_the_same() -> None:
    found = [reruns_won(estimate(np.full((2, 2, 5), value))) for value in (0.0, 0.1, -0.1)]
    assert found == [0.5, 1, 0]
