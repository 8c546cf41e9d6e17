"""L-BFGS for many problems at once (Nocedal and Wright 2006, algorithms 7.4 and 7.5), each with steps of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Values (A,) and gradients (M, A, C) of some of the problems, from their points (M, A, C) and numbers (A,)."""

_REMEMBERED = 10
_SUFFICIENT = 1e-4
_ROUNDING = 32
"""Last digits of a value by which it may rise: they are noise."""
_HALVINGS = 30


@dataclass(frozen=True)
class Minimum:
    """Where the problems ended.

    Attributes:
        points: (M, K, C).
        converged: (K,) whether the gradient is as small as was asked for.
        iterations: (K,) int64, of each.
    """

    points: Tensor
    converged: Tensor
    iterations: Tensor


class _Members:
    """The problems that have not converged, and what is remembered of them."""

    def __init__(self, loss: Loss, points: Tensor, curvatures: Tensor) -> None:
        self._loss = loss
        self.numbers = torch.arange(points.shape[1], device=points.device)
        self.points, self._curvatures = points, curvatures
        self.values, self.gradients = loss(points, self.numbers)
        self.moved = torch.ones_like(self.values, dtype=torch.bool)
        self._pairs: list[tuple[Tensor, Tensor, Tensor]] = []
        self._scale = torch.ones_like(self.values)

    def keep(self, kept: Tensor) -> None:
        """Forget all problems but some.

        Args:
            kept: (A,) bool.
        """
        self.numbers, self.values, self._scale = self.numbers[kept], self.values[kept], self._scale[kept]
        self.moved = self.moved[kept]
        self.points, self.gradients = self.points[:, kept], self.gradients[:, kept]
        self._curvatures = self._curvatures[:, kept]
        self._pairs = [(steps[:, kept], changes[:, kept], inverse[kept]) for steps, changes, inverse in self._pairs]

    def step(self) -> None:
        """Take a step of each problem, and note which could."""
        direction, noise = self._direction(), _ROUNDING * torch.finfo(self.values.dtype).eps * self.values.abs()
        slope = _dot(self.gradients, direction)
        length, values, gradients = torch.ones_like(slope), self.values.clone(), self.gradients.clone()
        trying = torch.arange(len(slope), device=slope.device)
        for _ in range(_HALVINGS):
            tried = self.points[:, trying] + length[trying, None] * direction[:, trying]
            values[trying], gradients[:, trying] = self._loss(tried, self.numbers[trying])
            allowed = self.values + _SUFFICIENT * length * slope + noise
            trying = trying[~(values[trying] <= allowed[trying])]
            if not len(trying):
                break
            length[trying] /= 2
        length[trying] = 0
        self.moved = length > 0
        steps, changes = length[:, None] * direction, gradients - self.gradients
        self._remember(steps, changes)
        self.points = self.points + steps
        self.values = torch.where(self.moved, values, self.values)
        self.gradients = torch.where(self.moved[:, None], gradients, self.gradients)

    def _direction(self) -> Tensor:
        """Return minus the gradient times the inverse Hessian as it is known (algorithm 7.4)."""
        rest, shares = self.gradients.clone(), []
        for steps, changes, inverse in reversed(self._pairs):
            share = inverse * _dot(steps, rest)
            rest -= share[:, None] * changes
            shares.append(share)
        rest *= self._scale[:, None] / self._curvatures
        for (steps, changes, inverse), share in zip(self._pairs, reversed(shares), strict=True):
            rest += (share - inverse * _dot(changes, rest))[:, None] * steps
        return -rest

    def _remember(self, steps: Tensor, changes: Tensor) -> None:
        """Note how gradients changed, where that shows a curvature."""
        curvature, scaled = _dot(steps, changes), _dot(changes, changes / self._curvatures)
        shown = curvature > 1e-12 * scaled
        inverse = torch.where(shown, 1 / curvature, 0.0)
        self._pairs = [*self._pairs[-_REMEMBERED + 1 :], (steps, changes, inverse)]
        self._scale = torch.where(shown, curvature / scaled, self._scale)


def minimize(loss: Loss, start: Tensor, curvatures: Tensor, *, tolerance: float, iterations: int) -> Minimum:
    """Minimise K smooth convex problems.

    Args:
        loss: values and gradients.
        start: (M, K, C) where to begin.
        curvatures: (M, K, 1) about how curved each is along each axis, above 0.
        tolerance: a problem has converged when no part of its gradient is larger.
        iterations: at most.
    """
    count = start.shape[1]
    points, converged = start.clone(), torch.zeros(count, dtype=torch.bool, device=start.device)
    taken = torch.zeros(count, dtype=torch.int64, device=start.device)
    members = _Members(loss, start, curvatures)
    for iteration in range(iterations + 1):
        flat = members.gradients.abs().amax(dim=(0, 2)) <= tolerance
        ended = flat | ~members.moved if iteration < iterations else torch.ones_like(flat)
        if ended.any():
            numbers = members.numbers[ended]
            points[:, numbers] = members.points[:, ended]
            converged[numbers] = flat[ended]
            taken[numbers] = iteration
            members.keep(~ended)
        if not len(members.numbers):
            break
        members.step()
    return Minimum(points, converged, taken)


def _dot(first: Tensor, second: Tensor) -> Tensor:
    """Return the inner product of each problem, (A,), of (M, A, C)."""
    return (first * second).sum(dim=(0, 2))
