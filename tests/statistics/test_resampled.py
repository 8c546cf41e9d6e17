"""Intervals by resampling: they hold what the bootstrap promises, and they are centred."""

from __future__ import annotations

import numpy as np
import pytest

from medssl_bench.statistics.interval import estimate
from medssl_bench.statistics.resampled import resampled


def _means(values: np.ndarray, times: int = 4000) -> np.ndarray:
    """Return the means (S, D, times) of a table (S, D, N) over resampled images."""
    images = values.shape[2]
    counts = np.random.default_rng(0).multinomial(images, np.full(images, 1 / images), times)
    return values @ counts.T / images


def test_of_a_mean_over_images_alone_it_is_the_usual_interval() -> None:
    values = np.random.default_rng(1).normal(size=(1, 1, 400))
    found = resampled(_means(values), float(values.mean()), 400)
    assert found.half() == pytest.approx(estimate(values).half(), rel=0.05)
    assert found.interval()[0] < values.mean() < found.interval()[1]


def test_seeds_and_draws_count_too() -> None:
    random = np.random.default_rng(2)
    values = random.normal(size=(8, 1, 1)) + random.normal(size=(1, 6, 1)) + random.normal(size=(8, 6, 50))
    found = resampled(_means(values), float(values.mean()), 50)
    alone = resampled(_means(values.mean((0, 1), keepdims=True)), float(values.mean()), 50)
    assert found.half() > 2 * alone.half()
    assert found.half() == pytest.approx(estimate(values).half(), rel=0.35), "t and its degrees of freedom aside"


def test_a_bias_of_the_resamples_does_not_move_it() -> None:
    values = np.random.default_rng(3).normal(size=(1, 1, 100))
    means = _means(values)
    plain, biased = (resampled(each, float(values.mean()), 100) for each in (means, means + 7))
    assert plain.interval() == pytest.approx(biased.interval())


def test_the_same_numbers_give_the_same_interval() -> None:
    values = np.random.default_rng(4).normal(size=(3, 2, 30))
    assert resampled(_means(values), 0.0, 30).interval() == resampled(_means(values), 0.0, 30).interval()
