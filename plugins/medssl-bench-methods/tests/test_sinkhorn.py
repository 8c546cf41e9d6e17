"""Sinkhorn-Knopp: lightly's at the papers' 3 iterations, POT's optimal transport at convergence, and groups."""

import numpy as np
import ot
import pytest
import torch
from lightly.loss.swav_loss import sinkhorn as lightlys
from medssl_bench_methods.sinkhorn import sinkhorn

SHAPES = [(6, 4), (32, 16), (16, 40)]


def cosines(shape, seed=0, dtype=torch.float32):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 2 - 1


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_lightlys_at_three_iterations(shape, seed):
    scores = cosines(shape, seed)
    torch.testing.assert_close(sinkhorn(scores), lightlys(scores), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_optimal_transport_at_convergence(shape):
    scores, (images, outputs) = cosines(shape), shape
    weights = np.full(images, 1 / images), np.full(outputs, 1 / outputs)
    plan = ot.sinkhorn(*weights, -scores.double().numpy(), reg=0.5, numItermax=2000, stopThr=1e-12)

    found = sinkhorn(scores, epsilon=0.5, iterations=100)

    np.testing.assert_allclose(found.numpy() / images, plan, atol=1e-5 / images)
    torch.testing.assert_close(found.sum(dim=0), torch.full((outputs,), images / outputs), rtol=1e-4, atol=0)


def test_every_image_has_a_whole_code():
    torch.testing.assert_close(sinkhorn(cosines((9, 5))).sum(dim=1), torch.ones(9))


def test_a_constant_changes_nothing_and_the_order_of_outputs_is_kept():
    scores, order = cosines((12, 7)), torch.randperm(7)
    torch.testing.assert_close(sinkhorn(scores + 3), sinkhorn(scores), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(sinkhorn(scores[:, order]), sinkhorn(scores)[:, order])


def test_large_scores_are_finite():
    found = sinkhorn(1e4 * cosines((8, 5)))
    assert found.isfinite().all()
    torch.testing.assert_close(found.sum(dim=1), torch.ones(8))


def test_groups_are_balanced_as_if_alone():
    scores, groups = cosines((12, 5)), torch.tensor([0, 2] * 6)  # no image is of group 1
    found = sinkhorn(scores, groups=groups, count=3)
    for group in (0, 2):
        torch.testing.assert_close(found[groups == group], sinkhorn(scores[groups == group]))


def test_it_is_exact_under_autocast():
    scores = cosines((12, 5))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(sinkhorn(scores), sinkhorn(scores))
        inside = sinkhorn(scores)
    assert torch.equal(inside, sinkhorn(scores))
