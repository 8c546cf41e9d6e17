"""Logistic regressions on the same features with penalties of all sizes, solved together."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from medssl_bench.evaluators.logistic_loss import Images, LogisticLoss
from medssl_bench.evaluators.newton import minimize
from medssl_bench.evaluators.principal_axes import PrincipalAxes

EXACT = 1e-13
"""How far the loss may be above its minimum, about twice, in what counts as the optimum."""

_ROUGH, _NEAR = 1e-7, 1e-2
"""The same where values of C are compared, and before features are turned."""

_CHANCES = 2**26
"""Probabilities that are in memory at once, of penalties that are solved together."""


@dataclass(frozen=True, eq=False)
class Layers:
    """Linear layers on features, one for each penalty.

    Attributes:
        weight: (K, C, D) float64.
        bias: (K, C) float64.
    """

    weight: Tensor
    bias: Tensor

    def logits(self, features: Tensor) -> Tensor:
        """Return the logits of features (n, D) float64 by each layer, (K, n, C)."""
        return features @ self.weight.mT + self.bias[:, None]


class LogisticPath:
    """Minima of ``sum_i shares_i loss_i + lambda / 2 * |W|^2`` for many penalties lambda; the bias is not penalised.

    All are found roughly, in float32: probabilities are within 1e-4 of the optimum's, which is what values of C are
    compared by. The one that is wanted is then found exactly, in float64.

    Features are turned to their principal axes first, which changes no optimum: no more axes are left than there are
    images, and how curved a loss is along each of them is about known. Near the optima they are turned again, to the
    axes of the images that are in doubt, as the others no longer bend the loss.

    Attributes:
        layers: all of them, roughly.
    """

    @torch.inference_mode()
    def __init__(
        self,
        features: Tensor,
        wanted: Tensor,
        shares: Tensor,
        penalties: Tensor,
        *,
        independent: bool,
        iterations: int,
    ) -> None:
        """Find them.

        Args:
            features: (n, D) float64.
            wanted: (n, C) float64, what images are: one-hot classes, or 0 and 1 for each decision.
            shares: (n,) float64, how much each image counts; their sum is 1.
            penalties: (K,) float64, each lambda, above 0.
            independent: whether each column is a decision of its own (logistic); else they exclude each other, softmax.
            iterations: of conjugate gradients for each, at most.
        """

        def images(axes: PrincipalAxes) -> Images:
            variances = F.pad(axes.variances, (0, 1), value=1.0)
            return Images(axes.coordinates(features), variances, wanted.T.contiguous(), shares, independent)

        self._penalties, self._iterations = penalties, iterations
        axes = PrincipalAxes.of(features, shares)
        seen = images(axes)
        start = features.new_zeros(len(penalties), wanted.shape[1], len(axes.variances) + 1)
        near = self._roughly(seen, start, _NEAR)
        layers, doubts = axes.outside(near), seen.doubts(near[penalties.argmin()])
        self._axes = axes.turned(seen.features, doubts)
        self._images = images(self._axes)
        self._points = self._roughly(self._images, self._axes.inside(*layers), _ROUGH)
        self.layers = Layers(*self._axes.outside(self._points))

    @torch.inference_mode()
    def optimum(self, number: int) -> tuple[Layers, bool]:
        """Return one of the layers exactly, and whether the iterations were enough for that."""
        loss = LogisticLoss(self._images, self._penalties[[number]])
        found = minimize(loss, self._points[[number]], tolerance=EXACT, iterations=self._iterations)
        return Layers(*self._axes.outside(found.points)), bool(found.converged)

    def _roughly(self, images: Images, start: Tensor, tolerance: float) -> Tensor:
        narrow, points = images.to(torch.float32), start.float()
        for some in torch.arange(len(start), device=start.device).split(max(1, _CHANCES // images.wanted.numel())):
            loss = LogisticLoss(narrow, self._penalties[some].float())
            points[some] = minimize(loss, points[some], tolerance=tolerance, iterations=self._iterations).points
        return points.double()
