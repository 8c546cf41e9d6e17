"""Newton's method with conjugate gradients (Nocedal and Wright 2006, algorithm 7.1), for many problems at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

_RESIDUAL = 0.2
"""A step is good enough when what it leaves of the gradient is less than this part, as the preconditioner measures it:
better steps cost more than they bring while the curvature still changes."""

_SUFFICIENT = 1e-4
_ROUNDING = 32
"""Last digits of a value by which it may rise: they are noise."""
_HALVINGS = 30


class Curvature(Protocol):
    """How curved A problems are at their points."""

    def times(self, directions: Tensor) -> Tensor:
        """Return the Hessian of each times its direction (A, C, M)."""

    def undone(self, residuals: Tensor) -> Tensor:
        """Return about the inverse Hessian of each times its residual (A, C, M); the preconditioner."""

    def some(self, kept: Tensor) -> Curvature:
        """Return that of some of the problems, (A,) bool."""


@dataclass(frozen=True)
class Look:
    """What A problems are at their points.

    Attributes:
        values: (A,).
        sizes: (A,) of the numbers that a value is the sum or difference of: its last digits are noise by these.
        gradients: (A, C, M).
        curvature: in float32.
    """

    values: Tensor
    sizes: Tensor
    gradients: Tensor
    curvature: Curvature

    def some(self, kept: Tensor) -> Look:
        """Return that of some of the problems, (A,) bool."""
        return Look(self.values[kept], self.sizes[kept], self.gradients[kept], self.curvature.some(kept))


class Problem(Protocol):
    """K smooth convex problems."""

    def look(self, points: Tensor, numbers: Tensor) -> Look:
        """Return what some of the problems (A,) are at points (A, C, M)."""


@dataclass(frozen=True)
class Minimum:
    """Where the problems ended.

    Attributes:
        points: (K, C, M).
        converged: (K,) whether they are as near to the minimum as was asked for.
        iterations: (K,) int64, of conjugate gradients.
    """

    points: Tensor
    converged: Tensor
    iterations: Tensor


def minimize(problem: Problem, start: Tensor, *, tolerance: float, iterations: int) -> Minimum:
    """Minimise K smooth convex problems.

    Args:
        problem: values, gradients and curvatures.
        start: (K, C, M) where to begin.
        tolerance: a problem has converged with a step whose decrement, about twice the height of the value above the
            minimum (Boyd and Vandenberghe 2004, section 9.5.1), is not larger.
        iterations: of conjugate gradients, at most.
    """
    points = start.clone()
    converged = torch.zeros(len(start), dtype=torch.bool, device=start.device)
    taken = torch.zeros(len(start), dtype=torch.int64, device=start.device)
    numbers = torch.arange(len(start), device=start.device)
    look = problem.look(start, numbers)
    while len(numbers):
        steps, rounds, exact = _steps(look, iterations - taken[numbers])
        taken[numbers] += rounds
        decrements = -_dot(look.gradients, steps)
        lengths, look = _searched(problem, points[numbers], numbers, look, steps, decrements)
        points[numbers] += lengths[:, None, None] * steps
        converged[numbers] = exact & (decrements <= tolerance)
        going = ~converged[numbers] & (lengths > 0) & (taken[numbers] < iterations)
        if not going.all():
            numbers, look = numbers[going], look.some(going)
    return Minimum(points, converged, taken)


def _steps(look: Look, most: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return about what leads to the minimum of each problem if its curvature stayed as it is, by conjugate gradients.

    Args:
        look: what the problems are.
        most: (A,) iterations at most.

    Returns:
        Steps (A, C, M), iterations that were done, (A,), and whether those were enough, (A,).
    """
    sizes = look.gradients.flatten(1).norm(dim=1).clamp(min=torch.finfo(torch.float32).tiny)[:, None, None]
    residuals = -(look.gradients / sizes).float()
    found, done, exact = torch.zeros_like(residuals), torch.zeros_like(most), torch.zeros_like(most, dtype=torch.bool)
    steps, curvature, numbers = torch.zeros_like(residuals), look.curvature, torch.arange(len(most), device=most.device)
    directions = curvature.undone(residuals)
    heights = _dot(residuals, directions)
    wanted = _RESIDUAL**2 * heights
    for iteration in range(1, int(most.max()) + 1):
        bent = curvature.times(directions)
        curved = _dot(directions, bent)
        usable = curved > 0  # else that is rounding: the residual is as small as it can be
        lengths = torch.where(usable, heights / curved, 0.0)[:, None, None]
        steps.addcmul_(lengths, directions)
        residuals.addcmul_(lengths, bent, value=-1)
        undone = curvature.undone(residuals)
        before, heights = heights, _dot(residuals, undone)
        directions = undone.addcmul_((heights / before)[:, None, None], directions)
        near = heights <= wanted
        going = usable & ~near & (iteration < most)
        if not going.all():
            ended = numbers[~going]
            found[ended], done[ended], exact[ended] = steps[~going], iteration, near[~going]
            if not going.any():
                break
            numbers, curvature, most, wanted = numbers[going], curvature.some(going), most[going], wanted[going]
            steps, residuals, directions, heights = steps[going], residuals[going], directions[going], heights[going]
    return found.to(sizes) * sizes, done, exact


def _searched(
    problem: Problem, points: Tensor, numbers: Tensor, look: Look, steps: Tensor, decrements: Tensor
) -> tuple[Tensor, Look]:
    """Return the part of each step that lowers its value (A,), 0 if none does, and what the problems are there."""
    noise = _ROUNDING * torch.finfo(look.values.dtype).eps * look.sizes
    lengths = torch.ones_like(look.values)
    for _ in range(_HALVINGS):
        found = problem.look(points + lengths[:, None, None] * steps, numbers)
        above = ~(found.values <= look.values - _SUFFICIENT * lengths * decrements + noise)
        if not above.any():
            return lengths, found
        lengths[above] /= 2
    lengths[above] = 0
    return lengths, problem.look(points + lengths[:, None, None] * steps, numbers)


def _dot(first: Tensor, second: Tensor) -> Tensor:
    """Return the inner product of each problem, (A,), of (A, C, M)."""
    return torch.linalg.vecdot(first.flatten(1), second.flatten(1))
