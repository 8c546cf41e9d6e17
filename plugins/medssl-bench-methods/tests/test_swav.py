"""SwAV: its loss against lightly's, its queue and prototypes, and what must not change it."""

import pytest
import torch
import torch.nn.functional as F
from lightly.loss import SwaVLoss
from medssl_bench_methods.clustering.prototypes import Prototypes
from medssl_bench_methods.clustering.swav import swav_loss
from medssl_bench_methods.sinkhorn import sinkhorn
from medssl_bench_methods.use import used
from method_builders import NOW, batch_of, build, tiny_encoder

from medssl_bench.methods import Progress


def make_swav(**parameters):
    return build("swav", **{"prototypes": 6, "hidden": 16, "projection": 8, "local_views": 2, "queue": 0, **parameters})


def unit_projections(method, batch):
    features = torch.cat([method.encoder(torch.cat(batch.views[:2])), method.encoder(torch.cat(batch.views[2:]))])
    return F.normalize(method.head(features), dim=1)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("shape", [(2, 6, 4), (4, 32, 16), (6, 9, 20)])
def test_the_loss_is_lightlys(shape, seed):
    scores = (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1).requires_grad_()
    codes = torch.stack([sinkhorn(scores[place]) for place in range(2)])

    ours = swav_loss(scores, codes, 0.1)
    theirs = SwaVLoss()(list(scores[:2]), list(scores[2:])).squeeze()

    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(
        *(torch.autograd.grad(loss, scores, retain_graph=True)[0] for loss in (ours, theirs)), rtol=1e-4, atol=1e-6
    )


def fill(method):
    for queue in method.queues:
        queue.index.zero_()


def test_the_method_is_lightlys_with_a_queue():
    method = make_swav(queue=10, queue_from=0.0).train()
    fill(method)
    batch = batch_of(16, 16, 8, 8, count=8)
    queue = [queue.now() for queue in method.queues]

    loss, _ = method(batch, NOW)

    scores = (unit_projections(method, batch) @ method.prototypes.weight.T).chunk(4)
    earlier = [queue[place] @ method.prototypes.weight.T for place in range(2)]
    theirs = SwaVLoss()(scores[:2], scores[2:], earlier)
    torch.testing.assert_close(loss, theirs.squeeze(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("where", ["unfilled", "too early"])
def test_a_queue_that_does_not_count_leaves_the_loss(where):
    plain, queued = make_swav().train(), make_swav(queue=10, queue_from=0.0 if where == "unfilled" else 0.9).train()
    queued.load_state_dict(plain.state_dict(), strict=False)
    if where == "too early":
        fill(queued)
    torch.testing.assert_close(queued(batch_of(16, 16, 8, 8), NOW)[0], plain(batch_of(16, 16, 8, 8), NOW)[0])


@pytest.mark.parametrize("length", [5, 8, 20])
def test_the_queue_has_the_last_projections(length):
    method, seen = make_swav(queue=length).train(), []
    for step in range(4):
        batch = batch_of(16, 16, 8, 8, count=8, seed=step)
        method(batch, NOW)
        seen.append(unit_projections(method, batch).detach().view(4, 8, -1)[:2])
    last = torch.cat(seen, dim=1)[:, -length:]
    held = torch.stack([queue.vectors.roll(-int(queue.oldest), dims=0) for queue in method.queues])
    torch.testing.assert_close(held, last, rtol=1e-4, atol=1e-5)
    assert all((queue.index >= 0).all() for queue in method.queues)


def test_prototypes_are_unit_vectors_that_move_when_it_is_time():
    prototypes = Prototypes(8, 5, frozen=0.5).train()
    projections = F.normalize(torch.randn(4, 8), dim=1)
    for step, moves in [(0, False), (3, False), (4, True), (9, True)]:
        prototypes.after_step(Progress(step, 10, 0))
        prototypes(projections).square().sum().backward()
        assert bool(prototypes.weight.grad.abs().sum() > 0) == moves
        prototypes.weight.grad = None
    with torch.no_grad():
        prototypes.weight.mul_(3)
    prototypes.eval()(projections)
    assert prototypes.weight.norm(dim=1).min() > 2
    prototypes.train()(projections)
    torch.testing.assert_close(prototypes.weight.norm(dim=1), torch.ones(5))


def test_without_small_views_any_augmentation_does():
    assert [view.crop for view in make_swav(local_views=0, crop=None).views()] == [None, None]
    assert [(view.size, view.crop) for view in make_swav().views()] == [(None, (0.14, 1.0))] * 2 + [(9, (0.1, 0.4))] * 2


def test_use_is_told_from_the_scores():
    assert used(torch.eye(6)) == pytest.approx(1)
    assert used(torch.eye(6)[torch.zeros(12, dtype=torch.int64)]) == pytest.approx(1 / 6)
    assert used(torch.eye(6)[:3]) == pytest.approx(1)  # three images cannot choose more


def test_small_views_are_told_from_large_ones_alone():
    """Their own codes are never asked: with one prototype's score raised in a small view, the codes stay."""
    scores = torch.randn(3, 8, 5, requires_grad=True)
    codes = torch.stack([sinkhorn(scores[place]) for place in range(2)])
    expected = sum(F.cross_entropy(scores[v] / 0.1, codes[t]) for t in range(2) for v in range(3) if v != t)
    torch.testing.assert_close(swav_loss(scores, codes, 0.1), expected / 4)


def test_training_spreads_projections():
    torch.manual_seed(0)
    method = make_swav(frozen=0.0).train()
    optimizer = torch.optim.AdamW(method.parameters(), lr=2e-3)
    for step in range(12):
        loss, metrics = method(batch_of(16, 16, 8, 8, count=16, seed=0), NOW)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        method.after_step(Progress(step, 12, 0))
    assert metrics["used"] > 0.5
    assert metrics["spread"] > 0.3
    assert tiny_encoder().dim == method.encoder.dim
