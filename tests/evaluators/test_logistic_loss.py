"""The loss of logistic regressions: values, gradients and curvatures as torch's own losses and autograd give them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from medssl_bench.evaluators import logistic_loss
from medssl_bench.evaluators.logistic_loss import Images, LogisticLoss

IMAGES, SIZE, DECISIONS = 30, 5, 3
PENALTIES = torch.tensor([0.01, 0.3], dtype=torch.float64)


@pytest.fixture(params=[False, True], ids=["softmax", "logistic"])
def images(request):
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(IMAGES, SIZE - 1, generator=generator, dtype=torch.float64)
    labels = torch.arange(IMAGES) % DECISIONS
    wanted = F.one_hot(labels, DECISIONS).double()
    if request.param:
        wanted[::4] = 1 - wanted[::4]
    shares = torch.rand(IMAGES, generator=generator, dtype=torch.float64)
    variances = F.pad(features.var(dim=0), (0, 1), value=1.0)
    return Images(F.pad(features, (0, 1), value=1.0), variances, wanted.T, shares / shares.sum(), request.param)


def points():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(len(PENALTIES), DECISIONS, SIZE, generator=generator, dtype=torch.float64)


def torchs(images, point, penalty):
    logits = images.features @ point.T
    if images.independent:
        losses = F.binary_cross_entropy_with_logits(logits, images.wanted.T, reduction="none").sum(dim=1)
    else:
        losses = F.cross_entropy(logits, images.wanted.argmax(dim=0), reduction="none")
    return images.shares @ losses + penalty / 2 * point[:, :-1].square().sum()


def without_common_logit(images, layers):
    """Return layers as gradients are: classes together have none along their common logit."""
    return layers if images.independent else layers - layers.mean(dim=1, keepdim=True)


@pytest.fixture(params=[7, 2048], ids=["parts", "whole"])
def look(request, images, monkeypatch):
    monkeypatch.setattr(logistic_loss, "_ROWS", request.param)
    return LogisticLoss(images, PENALTIES).look(points(), torch.arange(len(PENALTIES)))


def test_values_and_gradients_are_torchs(images, look):
    for number, penalty in enumerate(PENALTIES):
        point = points()[number].requires_grad_()
        value = torchs(images, point, penalty)
        (gradient,) = torch.autograd.grad(value, point)
        torch.testing.assert_close(look.values[number], value.detach())
        torch.testing.assert_close(look.gradients[number], gradient)


def test_curvatures_are_torchs(images, look):
    direction = points().flip(0)
    times = look.curvature.times(direction.float())
    for number, penalty in enumerate(PENALTIES):
        hessian = torch.autograd.functional.hessian(
            lambda point, by=penalty: torchs(images, point, by), points()[number]
        )
        wanted = torch.einsum("cmdn,dn->cm", hessian, direction[number])
        torch.testing.assert_close(times[number].double(), wanted, rtol=1e-4, atol=1e-6)


def test_some_are_what_they_are_among_all(images, look):
    number = torch.tensor([1])
    alone = LogisticLoss(images, PENALTIES).look(points()[number], number)
    some = look.some(torch.tensor([False, True]))
    residuals = without_common_logit(images, points()[number].float())
    for found, wanted in (
        (some.values, alone.values),
        (some.gradients, alone.gradients),
        (some.curvature.times(residuals), alone.curvature.times(residuals)),
        (some.curvature.undone(residuals), alone.curvature.undone(residuals)),
    ):
        torch.testing.assert_close(found, wanted)


def test_the_preconditioner_undoes_a_curvature_that_is_a_product(images):
    """As at zero, where all images are alike, on principal axes."""
    middle = images.shares @ images.features[:, :-1]
    centred = (images.features[:, :-1] - middle) * images.shares.sqrt()[:, None]
    variances, axes = torch.linalg.eigh(centred.T @ centred)
    turned = F.pad((images.features[:, :-1] - middle) @ axes, (0, 1), value=1.0)
    images = Images(turned, F.pad(variances, (0, 1), value=1.0), images.wanted, images.shares, images.independent)
    look = LogisticLoss(images, PENALTIES).look(torch.zeros_like(points()), torch.arange(len(PENALTIES)))
    residuals = without_common_logit(images, points().float())
    torch.testing.assert_close(look.curvature.times(look.curvature.undone(residuals)), residuals, rtol=1e-4, atol=1e-5)


def test_the_preconditioner_leaves_a_bias_that_all_classes_share(images, look):
    found = look.curvature.undone(points().float())[:, :, -1].mean(dim=1).abs()
    assert (found < 1e-3).tolist() == [not images.independent] * len(PENALTIES)


def test_images_are_in_doubt_whose_decisions_are_even(images):
    even, sure = torch.zeros(DECISIONS, SIZE, dtype=torch.float64), 1e4 * points()[0]
    torch.testing.assert_close(images.doubts(even), images.shares)
    torch.testing.assert_close(images.doubts(sure).sum(), torch.tensor(1.0, dtype=torch.float64))
    assert torch.isfinite(images.doubts(sure)).all()
    some = 3 * points()[0]
    logits = images.features @ some.T
    chances = logits.sigmoid() if images.independent else logits.softmax(dim=1)
    spread = (chances * (1 - chances)).sum(dim=1)
    assert (images.doubts(some) / images.shares).argsort().tolist() == spread.argsort().tolist()
