"""Newton's method for many problems: the minima that linear algebra and SciPy find, and none takes from another."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from scipy.optimize import minimize as scipys
from torch import Tensor

from medssl_bench.evaluators.newton import Look, minimize

SIZE, COUNT = 12, 5


@dataclass
class Hessians:
    """Full matrices (A, M, M), and what is divided by for a preconditioner (A, 1, M)."""

    matrices: Tensor
    diagonal: Tensor

    def times(self, directions):
        return directions @ self.matrices.float()

    def undone(self, residuals):
        return residuals / self.diagonal

    def some(self, kept):
        return replace(self, matrices=self.matrices[kept], diagonal=self.diagonal[kept])


class Bowls:
    """Quadratic problems ``x A x / 2 - b x``, from round to narrow."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        matrices = []
        for narrow in range(COUNT):
            axes = np.linalg.qr(rng.normal(size=(SIZE, SIZE)))[0]
            matrices.append(axes * np.logspace(0, 0.7 * narrow, SIZE) @ axes.T)
        self.matrices = torch.from_numpy(np.stack(matrices))
        self.slopes = torch.from_numpy(rng.normal(size=(COUNT, 1, SIZE)))
        self.diagonal = torch.ones(COUNT, 1, SIZE)
        self.asked = []

    def look(self, points, numbers):
        self.asked.append(numbers.tolist())
        matrices, slopes = self.matrices[numbers], self.slopes[numbers]
        moved = points @ matrices
        values = (points * (moved / 2 - slopes)).sum(dim=(1, 2))
        return Look(values, values.abs(), moved - slopes, Hessians(matrices, self.diagonal[numbers]))

    @property
    def best(self):
        return torch.linalg.solve(self.matrices, self.slopes.mT).mT


def start():
    return torch.zeros(COUNT, 1, SIZE, dtype=torch.float64)


def test_minima_are_those_of_linear_algebra():
    bowls = Bowls()
    found = minimize(bowls, start(), tolerance=1e-18, iterations=500)
    assert found.converged.all()
    torch.testing.assert_close(found.points, bowls.best)


def test_what_has_converged_is_not_asked_again():
    bowls = Bowls()
    found = minimize(bowls, start(), tolerance=1e-12, iterations=500)
    assert found.iterations[0] < found.iterations[-1]
    assert bowls.asked[0] == list(range(COUNT))
    assert bowls.asked[-1] != list(range(COUNT))


def test_others_change_nothing():
    together = minimize(Bowls(), start(), tolerance=1e-12, iterations=500)
    for number in range(COUNT):
        alone = Bowls()
        alone.matrices, alone.slopes = alone.matrices[[number]], alone.slopes[[number]]
        found = minimize(alone, start()[[number]], tolerance=1e-12, iterations=500)
        torch.testing.assert_close(found.points[0], together.points[number], rtol=0, atol=1e-9)
        assert found.iterations[0] == together.iterations[number]


def test_a_known_curvature_saves_iterations():
    bowls = Bowls()
    curved = torch.logspace(0, 4, SIZE, dtype=torch.float64)
    bowls.matrices = curved.diag_embed().expand(COUNT, -1, -1)
    blind = minimize(bowls, start(), tolerance=1e-12, iterations=500)
    bowls.diagonal = curved.float().expand(COUNT, 1, -1)
    told = minimize(bowls, start(), tolerance=1e-12, iterations=500)
    assert told.converged.all()
    assert told.iterations.max() <= 3
    assert blind.iterations.min() > 10
    torch.testing.assert_close(told.points, bowls.best)


@pytest.mark.parametrize("iterations", [1, 3])
def test_no_more_iterations_are_done_than_given_and_too_few_are_told(iterations):
    found = minimize(Bowls(), start(), tolerance=1e-12, iterations=iterations)
    assert found.converged.tolist() == [iterations > 1] + [False] * 4  # the first is round
    assert found.iterations.tolist()[1:] == [iterations] * 4


def test_a_start_at_the_minimum_stays_there():
    bowls = Bowls()
    found = minimize(bowls, bowls.best, tolerance=1e-12, iterations=50)
    assert found.converged.all()
    torch.testing.assert_close(found.points, bowls.best, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_curved_valleys_end_where_scipys_do(dtype):
    """A sum of hyperbolic cosines: convex, not quadratic, and full steps are too long at first."""
    rng = np.random.default_rng(1)
    slopes, places = rng.normal(size=(COUNT, 40, SIZE)), 3 * rng.normal(size=(COUNT, 40))

    class Valleys:
        def look(self, points, numbers):
            given, moved = (torch.from_numpy(part)[numbers].to(dtype) for part in (slopes, places))
            powers = (given @ points.mT)[:, :, 0] - moved
            bends = (given.mT * powers.cosh()[:, None]) @ given
            diagonal = bends.diagonal(dim1=1, dim2=2)[:, None].float()
            gradients = powers.sinh()[:, None] @ given
            values = powers.cosh().sum(1)
            return Look(values, values, gradients, Hessians(bends, diagonal))

    found = minimize(Valleys(), start().to(dtype), tolerance=1e-5, iterations=500)

    assert found.converged.all()
    for number in range(COUNT):
        best = scipys(lambda x, k=number: np.cosh(slopes[k] @ x - places[k]).sum(), np.zeros(SIZE), tol=1e-8).x
        np.testing.assert_allclose(found.points[number, 0], best, atol=1e-3)


def test_a_problem_that_cannot_go_down_ends():
    class Liar:
        def look(self, points, numbers):  # says down, and is flat
            ones = torch.ones(len(numbers), 1, 1)
            zeros = torch.zeros(len(numbers))
            return Look(zeros, zeros, torch.ones_like(points), Hessians(ones, ones))

    found = minimize(Liar(), torch.zeros(2, 1, 1), tolerance=1e-3, iterations=50)
    assert not found.converged.any()
    assert torch.equal(found.points, torch.zeros(2, 1, 1))
