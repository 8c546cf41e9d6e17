"""MICLe: its loss against a plain loop, and SimCLR where every image is alone."""

import math

import pytest
import torch
import torch.nn.functional as F
from medssl_bench_methods.groups.multi_instance import MICLe, grouped_nt_xent

from medssl_bench.errors import StageError
from medssl_bench.methods import Batch, MethodContext, Progress
from medssl_bench.methods.ntxent import nt_xent
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.randomness import forked


def by_loop(first, second, group, temperature, *, same_group):
    rows = [row / row.norm() for row in torch.cat([first, second]).double()]
    whose, count = [*group.tolist(), *group.tolist()], len(first)
    total = 0.0
    for i in range(2 * count):
        positive = (i + count) % (2 * count)
        candidates = [k for k in range(2 * count) if k != i and (k == positive or same_group or whose[k] != whose[i])]
        weights = {k: torch.exp(rows[i] @ rows[k] / temperature) for k in candidates}
        total = total - torch.log(weights[positive] / sum(weights.values()))
    return total / (2 * count)


@pytest.mark.parametrize("same_group", [False, True])
@pytest.mark.parametrize(("group", "width"), [([0, 1, 2], 4), ([0, 0, 1, 2, 2, 2], 3), ([7, 7, 7, 7], 5)])
def test_the_loss_and_its_gradient_are_those_of_a_loop(group, width, same_group):
    numbers = torch.Generator().manual_seed(0)
    first, second = (torch.randn(len(group), width, generator=numbers).requires_grad_() for _ in range(2))
    group = torch.tensor(group)

    ours, _ = grouped_nt_xent(first, second, group, 0.3, same_group=same_group)
    theirs = by_loop(first, second, group, 0.3, same_group=same_group)

    assert float(ours.detach()) == pytest.approx(float(theirs.detach()), rel=1e-5, abs=1e-6)
    for mine, other in zip(*(torch.autograd.grad(loss, [first, second]) for loss in (ours, theirs)), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6)


def test_images_that_are_alone_make_it_simclr_to_the_bit():
    first, second = torch.randn(2, 16, 8, generator=torch.Generator().manual_seed(0))

    ours, logits = grouped_nt_xent(first, second, torch.arange(16), 0.1, same_group=False)
    simclr, others = nt_xent(first, second, 0.1)

    assert torch.equal(ours, simclr)
    assert torch.equal(logits, others)


def test_a_batch_of_one_patient_has_nothing_to_tell_apart():
    first, second = torch.randn(2, 4, 8)
    assert float(grouped_nt_xent(first, second, torch.zeros(4), 0.1, same_group=False)[0]) == pytest.approx(0, abs=1e-6)


def test_a_set_without_groups_is_refused():
    registry = load_plugins().registry
    with forked(0):
        encoder = registry.build(
            registry.resolve_or_raise("encoder", {"name": "timm", "model": "test_resnet"}), size=16
        )
    component = registry.resolve_or_raise("method", "micle")
    with pytest.raises(StageError, match="the data set has no groups"):
        registry.build(component, encoder=encoder, context=MethodContext(size=16, images=32))
    method = registry.build(component, encoder=encoder, context=MethodContext(size=16, images=32, groups=8))
    assert isinstance(method, MICLe)
    assert [view.of for view in method.views()] == ["image", "partner"]
    views = tuple(F.interpolate(torch.rand(6, 3, 4, 4), 16) for _ in range(2))
    loss, metrics = method(Batch(views, views[0], torch.arange(6), torch.arange(6) // 2), Progress(0, 1, 0))
    assert math.isfinite(float(loss.detach()))
    assert set(metrics) == {"top1", "spread", "agreement"}
