"""Online clustering: SwAV's loss with two views, codes of each modality, and codes of a moving average."""

import pytest
import torch
import torch.nn.functional as F
from lightly.loss import SwaVLoss
from medssl_bench_methods.clustering.online_clustering import numbered
from medssl_bench_methods.clustering.swav import swav_loss
from medssl_bench_methods.sinkhorn import sinkhorn
from method_builders import NOW, SIZE, batch_of, build

from medssl_bench.errors import StageError
from medssl_bench.methods import MethodContext

GROUP = torch.tensor([7, 3, 3, 7, 7, 7, 3, 7])


def make(balance, groups=2):
    context = MethodContext(SIZE, 60, batch_size=8, groups=groups)
    return build("online_clustering", balance=balance, prototypes=6, hidden=16, projection=8, context=context)


def scores_of(method, batch):
    unit = F.normalize(method.head(method.encoder(torch.cat(batch.views))), dim=1)
    return unit @ F.normalize(method.prototypes.weight, dim=1).T


def test_balanced_over_the_batch_it_is_lightlys():
    method, batch = make("batch").train(), batch_of(16, 16)
    loss, _ = method(batch, NOW)
    theirs = SwaVLoss()(scores_of(method, batch).chunk(2), []).squeeze()
    torch.testing.assert_close(loss, theirs, rtol=1e-4, atol=1e-5)


def test_each_modality_is_balanced_as_if_alone():
    method, batch = make("modality").eval(), batch_of(16, 16, group=GROUP)
    loss, _ = method(batch, NOW)
    scores = torch.stack(scores_of(method, batch).chunk(2))
    codes = torch.zeros_like(scores)
    for number in (3, 7):
        for view in range(2):
            codes[view, number == GROUP] = sinkhorn(scores[view, number == GROUP])
    torch.testing.assert_close(loss, swav_loss(scores, codes, 0.1), rtol=1e-4, atol=1e-5)
    assert not torch.isclose(loss, make("batch").eval()(batch, NOW)[0])


def test_one_modality_is_the_whole_batch():
    batch = batch_of(16, 16, group=torch.full((8,), 5))
    torch.testing.assert_close(make("modality", 1).eval()(batch, NOW)[0], make("batch").eval()(batch, NOW)[0])


def test_without_balance_codes_are_those_of_a_moving_average():
    method, batch = make("none").eval(), batch_of(16, 16)
    with torch.no_grad():
        for parameter in method.head.parameters():
            parameter.mul_(0.5)
    loss, _ = method(batch, NOW)
    encoder, head, prototypes = method.average
    unit = F.normalize(head(encoder(torch.cat(batch.views))), dim=1)
    codes = F.softmax(unit @ F.normalize(prototypes.weight, dim=1).T / 0.05, dim=1)
    expected = swav_loss(torch.stack(scores_of(method, batch).chunk(2)), torch.stack(codes.chunk(2)), 0.1)
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-5)
    assert not any(parameter.requires_grad for parameter in method.average.parameters())

    before = head[0].weight.clone()
    method.after_step(NOW)
    torch.testing.assert_close(head[0].weight, 0.99 * before + 0.01 * method.head[0].weight)


@pytest.mark.parametrize(("groups", "found"), [(None, "has no groups"), (9, "has 9 groups")])
def test_modalities_need_a_few_groups(groups, found):
    with pytest.raises(StageError, match=found):
        make("modality", groups)


def test_groups_are_numbered_as_they_come():
    assert numbered(torch.tensor([7, 3, 3, 9, 7, -1])).tolist() == [0, 1, 1, 2, 0, 3]
