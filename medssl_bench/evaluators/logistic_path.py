"""Logistic regressions on the same features with penalties of all sizes, solved together."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from medssl_bench.evaluators.logistic_loss import Images, LogisticLoss
from medssl_bench.evaluators.newton import minimize
from medssl_bench.evaluators.principal_axes import PrincipalAxes

TOLERANCE = 1e-11
"""How far the loss may be above its minimum, about twice, in what counts as the optimum."""

_NEAR, _ROUGH = 1e-2, 1e-5
"""The same before features are turned, and where float32, which is twice as fast, ends and float64 begins."""

_CHANCES = 2**26
"""Probabilities that are in memory at once, of penalties that are solved together."""


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


@torch.inference_mode()
def fit_path(
    features: Tensor, wanted: Tensor, shares: Tensor, penalties: Tensor, *, independent: bool, iterations: int
) -> Regressions:
    """Minimise ``sum_i shares_i loss_i + lambda / 2 * |W|^2`` for every penalty lambda; the bias is not penalised.

    Features are turned to their principal axes first, which changes no optimum: no more axes are left than there are
    images, and how curved a loss is along each of them is about known. Near the optima they are turned again, to the
    axes of the images that are in doubt, as the others no longer bend the loss.

    Args:
        features: (n, D) float64.
        wanted: (n, C) float64, what images are: one-hot classes, or 0 and 1 for each decision.
        shares: (n,) float64, how much each image counts; their sum is 1.
        penalties: (K,) float64, each lambda, above 0.
        independent: whether each column is a decision of its own (logistic); else they exclude each other (softmax).
        iterations: of conjugate gradients, at most.
    """

    def images(axes: PrincipalAxes) -> Images:
        variances = F.pad(axes.variances, (0, 1), value=1.0)
        return Images(axes.coordinates(features), variances, wanted.T.contiguous(), shares, independent)

    def minimum(images: Images, start: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
        found = []
        for some in torch.arange(len(start), device=start.device).split(max(1, _CHANCES // wanted.numel())):
            loss = LogisticLoss(images, penalties[some].to(images.shares))
            part = minimize(loss, start[some].to(images.shares), tolerance=tolerance, iterations=iterations)
            found.append((part.points, part.converged))
        points, converged = zip(*found, strict=True)
        return torch.cat(points), torch.cat(converged)

    axes = PrincipalAxes.of(features, shares)
    seen = images(axes)
    start = features.new_zeros(len(penalties), wanted.shape[1], len(axes.variances) + 1)
    near = minimum(seen.to(torch.float32), start, _NEAR)[0].double()
    layers, doubts = axes.outside(near), seen.doubts(near[penalties.argmin()])
    axes = axes.turned(seen.features, doubts)
    seen = images(axes)
    rough = minimum(seen.to(torch.float32), axes.inside(*layers), _ROUGH)[0]
    points, converged = minimum(seen, rough, TOLERANCE)
    return Regressions(*axes.outside(points), converged)
