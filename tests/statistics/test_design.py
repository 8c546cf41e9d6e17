"""How many seeds and draws would do."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from medssl_bench.statistics.design import Design, _predicted, are_too_few_images, needed
from medssl_bench.statistics.interval import Estimate, estimate
from medssl_bench.statistics.layout import Components


def _values(
    seeds: int, draws: int, images: int, of_seed: float, of_image: float, number: int = 0
) -> NDArray[np.float64]:
    random = np.random.default_rng(number)
    found = 0.03 + of_seed * random.normal(size=(seeds, 1, 1)) + of_image * random.normal(size=(1, 1, images))
    return found + 0.02 * random.normal(size=(1, draws, 1)) + 0.3 * random.normal(size=(seeds, draws, images))


def test_the_prediction_is_the_variance_where_no_component_is_negative() -> None:
    for number in range(50):
        found = estimate(_values(4, 3, 60, 0.05, 0.2, number))
        parts = Components.of(found.squares, found.shape)
        if min(parts.seed, parts.draw, parts.image, parts.seed_draw, parts.seed_image, parts.draw_image) > 0:
            variance, freedom = _predicted(parts, Design(4, 3), 60)
            assert variance == pytest.approx(found.variance, rel=1e-6)
            assert freedom == pytest.approx(found.freedom, rel=1e-6)
            return
    pytest.fail("no example")


def test_more_runs_mend_what_seeds_do() -> None:
    found = needed(estimate(_values(3, 3, 2000, 0.03, 0.1)))
    assert found is not None
    assert found.seeds > 3 or found.draws > 3
    wide = needed(estimate(_values(3, 3, 2000, 0.06, 0.1)))
    assert wide is None or wide.seeds >= found.seeds


def test_no_number_of_runs_mends_a_small_test_set() -> None:
    found = estimate(_values(3, 3, 30, 0.001, 1.0))
    assert needed(found) is None
    assert are_too_few_images(found)


def test_a_large_test_set_is_not_too_small_where_seeds_differ() -> None:
    values = _values(3, 3, 20_000, 1.0, 0.001)
    found = estimate(values - values.mean() + 0.01)
    assert needed(found) is None
    assert not are_too_few_images(found)
    assert are_too_few_images(estimate(_values(3, 3, 30, 1.0, 10.0)), margin=0.01)


def test_a_margin_is_a_difference_that_should_be_told() -> None:
    found: Estimate = estimate(_values(3, 3, 2000, 0.03, 0.1) - 0.03)
    small, large = needed(found, 0.01), needed(found, 0.1)
    assert large is not None
    assert small is None or small.seeds * small.draws >= large.seeds * large.draws


def test_one_draw_stays_one() -> None:
    found = needed(estimate(_values(3, 1, 2000, 0.03, 0.1)))
    assert found is None or found.draws == 1
