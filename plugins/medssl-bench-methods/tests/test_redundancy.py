"""Barlow Twins and VICReg: their losses against lightly's, and what must not change them."""

import pytest
import torch
from lightly.loss import BarlowTwinsLoss, VICRegLoss
from medssl_bench_methods.redundancy.barlow_twins import barlow_twins_loss
from medssl_bench_methods.redundancy.vicreg import vicreg_loss

SHAPES = [(4, 8), (32, 16), (17, 5)]
WEIGHTS = {"invariance": 25.0, "variance": 25.0, "covariance": 1.0}


def two_views(shape, seed=0):
    numbers = torch.Generator().manual_seed(seed)
    first = torch.randn(shape, generator=numbers)
    return first.requires_grad_(), (first.detach() + torch.randn(shape, generator=numbers)).requires_grad_()


def assert_same_with_gradients(ours, theirs, inputs):
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    for mine, other in zip(torch.autograd.grad(ours, inputs), torch.autograd.grad(theirs, inputs), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("shape", SHAPES)
def test_barlow_twins_is_lightlys_divided_by_the_components(shape, seed):
    first, second = two_views(shape, seed)
    theirs = BarlowTwinsLoss(lambda_param=0.03)(first, second) / shape[1]
    assert_same_with_gradients(barlow_twins_loss(first, second, 0.03), theirs, [first, second])


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("shape", SHAPES)
def test_vicreg_is_lightlys(shape, seed):
    first, second = two_views(shape, seed)
    theirs = VICRegLoss(lambda_param=25, mu_param=25, nu_param=1)(first, second)
    assert_same_with_gradients(vicreg_loss(first, second, **WEIGHTS)[0], theirs, [first, second])


def test_barlow_twins_does_not_see_the_scale_of_a_component():
    first, second = two_views((64, 6))
    scale, shift = torch.rand(6) + 0.5, torch.randn(6)
    plain = barlow_twins_loss(first, second, 0.03)
    torch.testing.assert_close(barlow_twins_loss(first * scale + shift, second, 0.03), plain, rtol=1e-4, atol=1e-5)


def test_equal_views_of_independent_components_cost_nothing():
    first = torch.linalg.qr(torch.cat([torch.ones(32, 1), torch.randn(32, 8)], dim=1))[0][:, 1:] * 32**0.5
    assert barlow_twins_loss(first, first, 0.03) < 1e-6


def test_projections_that_collapsed_lack_all_variance():
    collapsed = torch.ones(16, 8)
    loss, missing = vicreg_loss(collapsed, collapsed, **WEIGHTS)
    assert missing == pytest.approx(1 - 1e-4**0.5)
    assert loss == pytest.approx(25 * (1 - 1e-4**0.5))
