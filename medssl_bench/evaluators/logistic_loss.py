"""The loss of logistic regressions with penalties of all sizes on the same images: value, gradient and curvature."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from medssl_bench.evaluators.newton import Look

_ROWS = 1024
"""Images whose logits are computed at once: those of a path of penalties stay in the cache."""

_NONE = 1e-15
"""A probability that is less counts as 0: what float32 can hardly represent is computed a hundred times slower."""

_SURE = 1e-6
"""How much an image is in doubt that a layer is sure of."""

_DAMPING = 1e-7
"""A loss counts as more curved by this part of its height: float32 sees no curvature where all images are surely wrong,
and a step would be 0 / 0."""

_LEAST = 1e-3
"""No curvature counts as less than this part of the largest: classes together have none along their common logit."""


@dataclass(frozen=True, eq=False)
class Images:
    """What decisions are about.

    Attributes:
        features: (n, M) in the order of a point: the last is 1.
        variances: (M,) of each feature; 1 for the last.
        wanted: (C, n) what images are: one-hot classes, or 0 and 1 for each decision.
        shares: (n,) how much each image counts; their sum is 1.
        independent: whether each row of `wanted` is a decision of its own (logistic); else they exclude each other
            (softmax).
    """

    features: Tensor
    variances: Tensor
    wanted: Tensor
    shares: Tensor
    independent: bool

    def to(self, dtype: torch.dtype) -> Images:
        """Return the same numbers in another precision."""
        return replace(
            self,
            features=self.features.to(dtype),
            variances=self.variances.to(dtype),
            wanted=self.wanted.to(dtype),
            shares=self.shares.to(dtype),
        )

    def doubts(self, point: Tensor) -> Tensor:
        """Return how much of what a point (C, M) is not sure of each image has, a share (n,) of 1."""
        logits = self.features @ point.T
        chances = logits.sigmoid() if self.independent else logits.softmax(dim=1)
        doubts = self.shares * ((chances - chances.square()).sum(dim=1) + _SURE)
        return doubts / doubts.sum()

    def parts(self) -> list[slice]:
        """Return the rows of images that are looked at together."""
        return [slice(first, first + _ROWS) for first in range(0, len(self.features), _ROWS)]


class LogisticLoss:
    """``sum_i shares_i loss_i + lambda / 2 * |W|^2`` for each of K penalties lambda.

    A point has a row for each decision: a weight for each feature, and last the bias, which is not penalised.
    """

    def __init__(self, images: Images, penalties: Tensor) -> None:
        """Prepare images, float64 or float32, and penalties (K,) in the same precision."""
        self._images, self._narrow, self._penalties = images, images.to(torch.float32), penalties

    def look(self, points: Tensor, numbers: Tensor) -> Look:
        """Return values (A,), gradients (A, C, M) and curvatures of some of the problems (A,) at points (A, C, M)."""
        count, decisions, size = points.shape
        images = self._images
        ridge = F.pad(self._penalties[numbers, None].expand(-1, size - 1), (0, 1))[:, None]
        gradients = ridge * points
        values = (points * gradients).sum(dim=(1, 2)) / 2
        chances = points.new_empty(count, decisions, len(images.features), dtype=torch.float32)
        for rows in images.parts():
            features, shares = images.features[rows], images.shares[rows]
            logits = (points.view(-1, size) @ features.T).view(count, decisions, -1)
            wanted = images.wanted[:, rows]
            if images.independent:
                values += F.softplus(logits * (1 - 2 * wanted)).sum(dim=1) @ shares
                found = logits.sigmoid_()
            else:
                logs = logits.log_softmax(dim=1)
                values -= logs.flatten(1) @ (wanted * shares).flatten()
                found = logs.exp_()
            F.threshold(found, _NONE, 0.0, inplace=True)
            chances[:, :, rows] = found
            errors = found.sub_(wanted).mul_(shares)
            gradients.view(-1, size).addmm_(errors.flatten(0, 1), features)
        # a loss that is far below 1 is a difference of logits that are not
        damped = ridge + _DAMPING * values[:, None, None] * images.variances
        return Look(values, 1 + values, gradients, _Curvature.at(self._narrow, damped.float(), chances))


@dataclass(frozen=True, eq=False)
class _Curvature:
    """The Hessians of A problems, ``sum_i shares_i S_i (x) x_i x_i' + ridge``, in float32.

    S_i is the covariance (C, C) of the decisions for image i: ``diag(p) - p p'`` of classes, ``diag(p (1 - p))`` of
    decisions of their own. The preconditioner is the product of the means of both factors, as in K-FAC (Martens and
    Grosse 2015); features along their principal axes make that one division.

    Attributes:
        images: in float32.
        ridge: (A, 1, M) the penalty of each coordinate, and damping.
        chances: (A, C, n) the probability of each class, or of each decision.
        axes: (A, C, C) orthonormal, columns, in which the mean of S_i is diagonal; None: it is.
        diagonal: (A, C, M) the preconditioner along these axes and those of the features.
    """

    images: Images
    ridge: Tensor
    chances: Tensor
    axes: Tensor | None
    diagonal: Tensor

    @classmethod
    def at(cls, images: Images, ridge: Tensor, chances: Tensor) -> _Curvature:
        """Return the Hessians for these probabilities."""
        means = chances @ images.shares
        if images.independent:
            axes, bends = None, means - chances.square() @ images.shares
        else:
            products = (chances * images.shares) @ chances.mT
            bends, axes = torch.linalg.eigh(means.diag_embed() - products)
        bends = bends.clamp(min=_LEAST * bends.amax(dim=1, keepdim=True).clamp(min=0))[:, :, None]
        return cls(images, ridge, chances, axes, bends * images.variances + ridge)

    def some(self, kept: Tensor) -> _Curvature:
        axes, diagonal = None if self.axes is None else self.axes[kept], self.diagonal[kept]
        return replace(self, ridge=self.ridge[kept], chances=self.chances[kept], axes=axes, diagonal=diagonal)

    def times(self, directions: Tensor) -> Tensor:
        size = directions.shape[2]
        flat, found = directions.view(-1, size), self.ridge * directions
        for rows in self.images.parts():
            chances, features = self.chances[:, :, rows], self.images.features[rows]
            moved = (flat @ features.T).view(chances.shape)
            if self.images.independent:
                moved *= chances - chances.square()
            else:
                moved.sub_((chances * moved).sum(dim=1, keepdim=True)).mul_(chances)
            found.view(-1, size).addmm_(moved.mul_(self.images.shares[rows]).view(len(flat), -1), features)
        return found

    def undone(self, residuals: Tensor) -> Tensor:
        if self.axes is None:
            return residuals / self.diagonal
        found = self.axes @ (self.axes.mT @ residuals).div_(self.diagonal)
        # a bias that all classes share changes nothing and has no curvature: what rounding leaves there would be steps
        found[:, :, -1] -= found[:, :, -1].mean(dim=1, keepdim=True)
        return found
