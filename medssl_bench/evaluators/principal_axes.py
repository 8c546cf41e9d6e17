"""Principal axes of features: coordinates in which they do not vary together."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

_NO_VARIANCE = 1e-12
"""An axis of less variance than this part of the largest is rounding."""


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """Orthonormal axes around a middle. Weights of a layer are as long on them as on the features.

    Attributes:
        middle: (D,) float64.
        axes: (D, r) float64, columns.
        variances: (r,) float64, along each, rising.
    """

    middle: Tensor
    axes: Tensor
    variances: Tensor

    @classmethod
    def of(cls, features: Tensor, shares: Tensor) -> PrincipalAxes:
        """Return those of features (n, D), where each row counts a share, (n,), of 1; all that have a variance."""
        middle = shares @ features
        weighted = (features - middle) * shares.sqrt()[:, None]
        if len(features) < features.shape[1]:
            variances, left = torch.linalg.eigh(weighted @ weighted.T)
            kept = variances > variances[-1] * _NO_VARIANCE
            return cls(middle, weighted.T @ left[:, kept] / variances[kept].sqrt(), variances[kept])
        variances, axes = torch.linalg.eigh(weighted.T @ weighted)
        kept = variances > variances[-1] * _NO_VARIANCE
        return cls(middle, axes[:, kept], variances[kept])

    def turned(self, coordinates: Tensor, shares: Tensor) -> PrincipalAxes:
        """Return those of the same space for other shares, (n,), of 1, of features at coordinates (n, r + 1)."""
        if not len(self.variances):
            return self  # all images are alike
        places = coordinates[:, :-1]
        middle = shares @ places
        weighted = (places - middle) * shares.sqrt()[:, None]
        variances, turn = torch.linalg.eigh(weighted.T @ weighted)
        variances = variances.clamp(min=_NO_VARIANCE * float(variances[-1]))
        return PrincipalAxes(self.middle + self.axes @ middle, self.axes @ turn, variances)

    def coordinates(self, features: Tensor) -> Tensor:
        """Return where features (n, D) are, (n, r + 1): on each axis, and a last 1, which a bias is the weight of."""
        return F.pad((features - self.middle) @ self.axes, (0, 1), value=1.0)

    def inside(self, weight: Tensor, bias: Tensor) -> Tensor:
        """Return layers on features, (..., D) and (...), as layers on coordinates, (..., r + 1)."""
        return torch.cat([weight @ self.axes, (bias + weight @ self.middle)[..., None]], dim=-1)

    def outside(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return layers on coordinates, (..., r + 1), as weight (..., D) and bias (...) on features."""
        weight = points[..., :-1] @ self.axes.T
        return weight, points[..., -1] - weight @ self.middle
