"""The three-way interval: worked examples, an independent analysis of variance, and what it must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from simulations.equal_arms import WORLDS, equal_arms

from medssl_bench.statistics.interval import estimate
from medssl_bench.statistics.layout import Components, MeanSquares
from medssl_bench.statistics.verdict import ALPHA


def _first() -> NDArray[np.float64]:
    s, d, i = np.ogrid[:3, :3, :30]
    one = (7 * i + 2 * s + 3 * d) % 10 < 6
    other = (7 * i + 2 * s + 3 * d + (i % 4 == 0) + (i * s * d) % 3) % 10 < 7 + (s == 2)
    return other.astype(float) - one


def _second() -> NDArray[np.float64]:
    s, d, i = np.ogrid[:3, :3, :20]
    one = (7 * i + 2 * s + 3 * d) % 10 < 6
    other = ((7 * i + 2 * s + 3 * d + 4 * (i % 5 == 0) + s * (i % 3 == 0)) % 10 < 6) | (i % 6 == 1)
    return other.astype(float) - one


def test_an_example_in_which_images_do_not_matter() -> None:
    """Sums of squares of statsmodels' ordinary least squares."""
    found = estimate(_first())
    squares = found.squares
    assert found.mean == pytest.approx(0.114815, abs=1e-6)
    assert [squares.seed, squares.draw, squares.image] == pytest.approx([0.270370, 0.059259, 0.103321], abs=1e-6)
    assert [squares.seed_draw, squares.seed_image] == pytest.approx([0.103704, 0.136271], abs=1e-6)
    assert [squares.draw_image, squares.rest] == pytest.approx([0.132056, 0.136271], abs=1e-6)
    assert found.variance == pytest.approx(0.00100137, abs=1e-8)
    assert found.freedom == pytest.approx(1.9083, abs=1e-4)
    assert found.interval() == pytest.approx((-0.027804, 0.257434), abs=1e-6)
    assert found.interval(0.9) == pytest.approx((0.019314, 0.210316), abs=1e-6)
    assert found.p == pytest.approx(0.073199, abs=1e-6)
    parts = Components.of(squares, found.shape)
    assert parts.seed == pytest.approx(0.001852, abs=1e-6)
    assert parts.rest == pytest.approx(0.136271, abs=1e-6)
    assert [parts.draw, parts.image, parts.seed_draw, parts.draw_image] == [0, 0, 0, 0], "negative ones are nothing"


def test_an_example_in_which_images_matter() -> None:
    found = estimate(_second())
    assert found.mean == pytest.approx(0.083333, abs=1e-6)
    assert found.variance == pytest.approx(0.00272417, abs=1e-8)
    assert found.freedom == pytest.approx(16.9865, abs=1e-4)
    assert found.interval() == pytest.approx((-0.026792, 0.193459), abs=1e-6)
    assert found.interval(0.9) == pytest.approx((-0.007467, 0.174134), abs=1e-6)
    assert found.p == pytest.approx(0.128785, abs=1e-6)


def _by_regression(values: NDArray[np.float64]) -> list[float]:
    """Return the mean squares as regression finds them: what each term explains beyond those before it."""
    sizes = values.shape
    dummies = [np.eye(size)[index] for size, index in zip(sizes, np.indices(sizes).reshape(3, -1), strict=True)]

    def crossed(*parts: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.ones((values.size, 1))
        for part in parts:
            found = np.einsum("ra,rb->rab", found, part).reshape(values.size, -1)
        return found

    s, d, i = dummies
    terms = [crossed(), s, d, i, crossed(s, d), crossed(s, i), crossed(d, i), crossed(s, d, i)]
    freedoms = [size - 1 for size in sizes]
    counts = [*freedoms, *(a * b for a, b in ((freedoms[0], freedoms[1]), (freedoms[0], freedoms[2])))]
    counts += [freedoms[1] * freedoms[2], int(np.prod(freedoms))]
    left, design = [], np.empty((values.size, 0))
    for term in terms:
        design = np.hstack([design, term])
        fitted = design @ np.linalg.lstsq(design, values.ravel(), rcond=None)[0]
        left.append(float(((values.ravel() - fitted) ** 2).sum()))
    return [(before - after) / count for before, after, count in zip(left, left[1:], counts, strict=False)]


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 4), st.integers(2, 4), st.integers(2, 9), st.integers(0, 2**31))
def test_mean_squares_are_those_of_regression(seeds: int, draws: int, images: int, number: int) -> None:
    values = np.random.default_rng(number).normal(size=(seeds, draws, images))
    found = MeanSquares.of(values)
    wanted = _by_regression(values)
    told = [found.seed, found.draw, found.image, found.seed_draw, found.seed_image, found.draw_image, found.rest]
    assert told == pytest.approx(wanted, abs=1e-8)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(2, 40), st.integers(0, 2**31))
def test_it_does_not_depend_on_order_and_turns_with_the_arms(seeds: int, draws: int, images: int, number: int) -> None:
    random = np.random.default_rng(number)
    values = random.normal(size=(seeds, draws, images)) + random.normal(size=(seeds, 1, 1))
    found = estimate(values)
    shuffled = values[random.permutation(seeds)][:, random.permutation(draws)][:, :, random.permutation(images)]
    again, turned = estimate(shuffled), estimate(-values)
    for other, sign in ((again, 1), (turned, -1)):
        assert other.mean == pytest.approx(sign * found.mean)
        assert other.variance == pytest.approx(found.variance)
        assert other.freedom == pytest.approx(found.freedom)
    assert found.freedom >= 1
    low, high = found.interval()
    assert low <= found.mean <= high


def test_images_alone_are_students_interval() -> None:
    values = np.random.default_rng(0).normal(0.3, 1.0, (1, 1, 50))
    found = estimate(values)
    wanted = stats.ttest_1samp(values.ravel(), 0.0)
    assert found.freedom == 49
    assert found.p == pytest.approx(wanted.pvalue)
    assert found.interval() == pytest.approx(tuple(wanted.confidence_interval()))


def test_seeds_alone_decide_where_images_do_not_differ() -> None:
    """Then it is Student's interval of the seeds' means."""
    means = np.array([0.1, 0.4, 0.2, 0.3])
    values = np.broadcast_to(means[:, None, None], (4, 1, 30))
    found = estimate(values)
    wanted = stats.ttest_1samp(means, 0.0)
    assert found.freedom == pytest.approx(3)
    assert found.p == pytest.approx(wanted.pvalue)


def test_seeds_of_the_same_mean_by_chance_are_no_certainty() -> None:
    """Two seeds, each of which loses another one of 40 images: a loss of one in 40 is not shown."""
    values = np.zeros((2, 1, 40))
    values[0, 0, 3] = values[1, 0, 7] = -1
    found = estimate(values)
    residual = values[:, 0] - values[:, 0].mean(0) - values[:, 0].mean(1, keepdims=True) + values.mean()
    assert found.variance == pytest.approx((residual**2).sum() / 39 / 80)
    assert found.freedom == 1
    assert found.p > 0.2
    values[0] += 1e-9  # no more than rounding may do
    assert estimate(values).p == pytest.approx(found.p)


def test_values_that_are_all_the_same_have_no_width() -> None:
    nothing, something = estimate(np.zeros((2, 2, 5))), estimate(np.ones((2, 2, 5)))
    assert (nothing.half(), nothing.p) == (0, 1)
    assert (something.half(), something.p) == (0, 0)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(("seeds", "draws"), [(3, 3), (5, 3), (5, 5)])
def test_false_verdicts_are_as_rare_as_promised(world: str, seeds: int, draws: int) -> None:
    random = np.random.default_rng([ord(world), seeds, draws])
    found = [estimate(equal_arms(random, (seeds, draws, 400), WORLDS[world])).p < ALPHA for _ in range(800)]
    share = float(np.mean(found))
    assert share <= 0.08, "nominally 0.05; 0.08 is four standard errors of 800 simulations above it"
    if (seeds, draws) == (5, 5):
        assert share >= 0.015, "nor may it be so wide that it says nothing"


def test_the_interval_over_all_values_would_be_false_far_more_often() -> None:
    """As if seeds and draws did not share draws, seeds and test images."""
    random = np.random.default_rng(1)
    found = []
    for _ in range(400):
        values = equal_arms(random, (5, 5, 400), WORLDS["A"])
        found.append(stats.ttest_1samp(values.mean(2).ravel(), 0.0).pvalue < ALPHA)
    assert np.mean(found) > 0.2
