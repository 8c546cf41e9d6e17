"""L-BFGS for many problems: the minima that linear algebra and SciPy find, and nothing that one takes from another."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize as scipys

from medssl_bench.evaluators.lbfgs import minimize

SIZE, COUNT = 12, 5


class Bowls:
    """Quadratic problems ``x A x / 2 - b x``, from round to narrow."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.matrices = []
        for narrow in range(COUNT):
            axes = np.linalg.qr(rng.normal(size=(SIZE, SIZE)))[0]
            self.matrices.append(axes * np.logspace(0, 0.7 * narrow, SIZE) @ axes.T)
        self.matrices = torch.from_numpy(np.stack(self.matrices))
        self.slopes = torch.from_numpy(rng.normal(size=(COUNT, SIZE)))
        self.asked = []

    def __call__(self, points, numbers):
        self.asked.append(numbers.tolist())
        flat = points[:, :, 0].T
        moved = (self.matrices[numbers] @ flat[:, :, None])[:, :, 0]
        values = (flat * moved).sum(1) / 2 - (flat * self.slopes[numbers]).sum(1)
        return values, (moved - self.slopes[numbers]).T[:, :, None]


def start():
    return torch.zeros(SIZE, COUNT, 1, dtype=torch.float64)


def test_minima_are_those_of_linear_algebra():
    bowls = Bowls()
    found = minimize(bowls, start(), torch.ones_like(start()), tolerance=1e-9, iterations=500)
    assert found.converged.all()
    torch.testing.assert_close(found.points[:, :, 0].T, torch.linalg.solve(bowls.matrices, bowls.slopes))


def test_what_has_converged_is_not_asked_again():
    bowls = Bowls()
    found = minimize(bowls, start(), torch.ones_like(start()), tolerance=1e-9, iterations=500)
    assert found.iterations[0] < found.iterations[-1]
    assert bowls.asked[0] == list(range(COUNT))
    assert bowls.asked[-1] == [COUNT - 1]


def test_a_known_curvature_saves_iterations():
    bowls = Bowls()
    bowls.matrices = torch.diag_embed(torch.logspace(0, 4, SIZE, dtype=torch.float64)).expand(COUNT, -1, -1)
    curved = torch.logspace(0, 4, SIZE, dtype=torch.float64)[:, None, None].expand(-1, COUNT, -1)
    blind = minimize(bowls, start(), torch.ones_like(start()), tolerance=1e-9, iterations=500)
    told = minimize(bowls, start(), curved, tolerance=1e-9, iterations=500)
    assert told.iterations.max() == 1
    assert blind.iterations.min() > 5


def test_too_few_iterations_are_told():
    found = minimize(Bowls(), start(), torch.ones_like(start()), tolerance=1e-9, iterations=3)
    assert found.converged.tolist() == [True] + [False] * 4  # the first is round
    assert found.iterations.tolist() == [1] + [3] * 4


def test_a_start_at_the_minimum_is_left_as_it_is():
    bowls = Bowls()
    best = torch.linalg.solve(bowls.matrices, bowls.slopes).T[:, :, None]
    found = minimize(bowls, best, torch.ones_like(best), tolerance=1e-6, iterations=50)
    assert torch.equal(found.points, best)
    assert found.iterations.tolist() == [0] * COUNT


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_curved_valleys_end_where_scipys_do(dtype):
    """A sum of hyperbolic cosines: convex, not quadratic, and steps of length 1 are too long at first."""
    rng = np.random.default_rng(1)
    slopes, places = rng.normal(size=(COUNT, 40, SIZE)), 3 * rng.normal(size=(COUNT, 40))

    def loss(points, numbers):
        given, moved = (torch.from_numpy(part)[numbers].to(dtype) for part in (slopes, places))
        powers = (given @ points[:, :, 0].T[:, :, None])[:, :, 0] - moved
        return powers.cosh().sum(1), (given.mT @ powers.sinh()[:, :, None])[:, :, 0].T[:, :, None]

    found = minimize(loss, start().to(dtype), torch.ones_like(start(), dtype=dtype), tolerance=1e-3, iterations=200)

    assert found.converged.all()
    for number in range(COUNT):
        best = scipys(lambda x, k=number: np.cosh(slopes[k] @ x - places[k]).sum(), np.zeros(SIZE), tol=1e-8).x
        np.testing.assert_allclose(found.points[:, number, 0], best, atol=1e-3)


def test_a_problem_that_cannot_go_down_ends():
    def loss(points, numbers):
        return torch.zeros(len(numbers)), torch.ones_like(points)  # says down, and is flat

    found = minimize(loss, torch.zeros(2, 1, 1), torch.ones(2, 1, 1), tolerance=1e-3, iterations=50)
    assert not found.converged.any()
    assert found.iterations.tolist() == [1]
