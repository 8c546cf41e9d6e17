"""Logistic regressions on the same features with penalties of all sizes, solved together."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from medssl_bench.evaluators.lbfgs import minimize

TOLERANCE = 1e-7
"""The largest part of the gradient at what counts as the optimum."""

_ROUGH = 5e-6
"""The same in float32, which is twice as fast and good enough to begin float64 with."""

_ROWS = 8192
"""Images whose logits are computed at once."""

_NO_VARIANCE = 1e-12
"""An axis of less variance than this part of the largest is rounding."""


@dataclass(frozen=True)
class Regressions:
    """Linear layers on features, one for each penalty.

    Attributes:
        weight: (K, C, D) float64.
        bias: (K, C) float64.
        converged: (K,) whether the optimum was reached.
    """

    weight: Tensor
    bias: Tensor
    converged: Tensor

    def logits(self, features: Tensor) -> Tensor:
        """Return the logits of features (n, D) float64 by each layer, (K, n, C)."""
        return features @ self.weight.mT + self.bias[:, None]


def fit_path(
    features: Tensor, wanted: Tensor, shares: Tensor, penalties: Tensor, *, independent: bool, iterations: int
) -> Regressions:
    """Minimise ``sum_i shares_i loss_i + lambda / 2 * |W|^2`` for every penalty lambda; the bias is not penalised.

    Features are rotated to their principal axes first. That changes no optimum; no more axes are left than there are
    images, and how curved a problem is along each of them is known.

    Args:
        features: (n, D) float64, of mean 0.
        wanted: (n, C) float64, what images are: one-hot classes, or 0 and 1 for each decision.
        shares: (n,) float64, how much each image counts; their sum is 1.
        penalties: (K,) float64, each lambda, above 0.
        independent: whether each column is a decision of its own (logistic); else they exclude each other (softmax).
        iterations: of L-BFGS, at most.
    """
    axes, variances = _principal_axes(features, shares)
    problem = _Problem(F.pad(features @ axes, (0, 1), value=1.0), wanted, shares, penalties, independent=independent)
    decisions = wanted.shape[1]
    spread = 0.25 if independent else (1 - 1 / decisions) / decisions  # of a decision that nothing is known of
    curved = spread * F.pad(variances, (0, 1), value=1.0)[:, None, None]
    curved = curved + F.pad(penalties[:, None].expand(len(variances), -1, -1), (0, 0, 0, 0, 0, 1))
    start = torch.zeros(len(curved), len(penalties), decisions, device=features.device)
    near = minimize(problem.float().loss, start, curved.float(), tolerance=_ROUGH, iterations=iterations)
    found = minimize(problem.loss, near.points.double(), curved, tolerance=TOLERANCE, iterations=iterations)
    weight = torch.einsum("dr,rkc->kcd", axes, found.points[:-1])
    return Regressions(weight, found.points[-1], found.converged)


def _principal_axes(features: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Return orthonormal axes (D, r) of features, and the variance along each, (r,); those without any are left out."""
    weighted = features * shares.sqrt()[:, None]
    if len(features) < features.shape[1]:
        variances, left = torch.linalg.eigh(weighted @ weighted.T)
        kept = variances > variances[-1] * _NO_VARIANCE
        return weighted.T @ left[:, kept] / variances[kept].sqrt(), variances[kept]
    variances, axes = torch.linalg.eigh(weighted.T @ weighted)
    kept = variances > variances[-1] * _NO_VARIANCE
    return axes[:, kept], variances[kept]


class _Problem:
    """What is minimised, as a function of a point: a row for each feature, and one for the bias."""

    def __init__(
        self, features: Tensor, wanted: Tensor, shares: Tensor, penalties: Tensor, *, independent: bool
    ) -> None:
        self._features, self._wanted, self._shares, self._penalties = features, wanted, shares, penalties
        self._independent = independent

    def float(self) -> _Problem:
        """Return the same in float32."""
        parts = (self._features, self._wanted, self._shares, self._penalties)
        return _Problem(*(part.float() for part in parts), independent=self._independent)

    def loss(self, points: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Return the values (A,) and gradients (M, A, C) of some of the problems at points (M, A, C)."""
        size, count, _ = points.shape
        penalties, weights = self._penalties[numbers], points[:-1]
        values = penalties / 2 * weights.square().sum(dim=(0, 2))
        gradients = F.pad(penalties[:, None] * weights, (0, 0, 0, 0, 0, 1))
        layers = points.reshape(size, -1)
        parts = zip(*(part.split(_ROWS) for part in (self._features, self._wanted, self._shares)), strict=True)
        for features, wanted, shares in parts:
            logits = (features @ layers).view(len(features), count, -1)
            losses, errors = self._errors(logits, wanted[:, None])
            values = values + shares @ losses.sum(dim=2)
            errors = (errors * shares[:, None, None]).flatten(1)
            gradients += (features.T @ errors).view_as(gradients)
        return values, gradients

    def _errors(self, logits: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each decision, and its derivative by the logit, both (n, A, C)."""
        if self._independent:
            return F.softplus(logits) - logits * wanted, logits.sigmoid() - wanted
        logs = logits.log_softmax(dim=2)
        return -logs * wanted, logs.exp() - wanted
