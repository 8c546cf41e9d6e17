"""MoCo: its loss against lightly's, its queue, its key encoder and its shuffled keys."""

import pytest
import torch
import torch.nn.functional as F
from lightly.loss import NTXentLoss
from loss_checks import assert_same_with_gradients, vectors
from medssl_bench_methods.contrastive.moco import queue_loss
from method_builders import NOW, batch_of, build

from medssl_bench.errors import StageError


def keys_of(moco, images):
    """Return keys as the method makes them in training, and leave its batch statistics as they are."""
    before = {name: value.clone() for name, value in moco.state_dict().items()}
    keys = moco._keys(images)
    moco.load_state_dict(before)
    return keys


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("batch", "queue", "width"), [(4, 10, 3), (16, 5, 8), (7, 64, 32)])
def test_the_loss_is_lightlys(batch, queue, width, seed):
    query, key, older = vectors(batch, width, seed=seed), vectors(batch, width, seed=seed + 5), vectors(queue, width)
    lightly = NTXentLoss(temperature=0.2, memory_bank_size=(queue, width))
    lightly.memory_bank.bank = older.detach().clone()  # it adds keys

    loss, _ = queue_loss(F.normalize(query, dim=1), F.normalize(key, dim=1), older.detach(), 0.2)

    assert_same_with_gradients(loss, lightly(query, key), [query, key])


def test_top1_counts_keys_that_are_nearer_than_all_others():
    query, older = torch.eye(3), torch.tensor([[0.0, 1.0, 0.0]])
    assert queue_loss(query, query, older, 0.1)[1] == pytest.approx(2 / 3)  # a tie is not nearer


def test_the_order_of_the_queue_does_not_count():
    query, key, older = vectors(6, 4), vectors(6, 4, seed=1), vectors(20, 4, seed=2)
    loss, _ = queue_loss(query, key, older, 0.1)
    torch.testing.assert_close(queue_loss(query, key, older[torch.randperm(20)], 0.1)[0], loss)


@pytest.mark.parametrize(("symmetric", "added"), [(False, 8), (True, 16)])
def test_keys_of_each_batch_are_in_the_queue(symmetric, added):
    moco = build("moco", queue=20, symmetric=symmetric).train()
    batch = batch_of(16, 16)
    first, second = keys_of(moco, batch.views[0]), keys_of(moco, batch.views[1])
    moco(batch, NOW)
    assert int(moco.queue.oldest) == added
    torch.testing.assert_close(moco.queue.vectors[:8], second)
    if symmetric:
        torch.testing.assert_close(moco.queue.vectors[8:16], first)
    assert moco.queue.index[:added].tolist() == [*range(8)] * (added // 8)


def test_a_symmetric_loss_is_the_mean_of_both_directions():
    one_way, both = build("moco", queue=20).eval(), build("moco", queue=20, symmetric=True).eval()
    batch = batch_of(16, 16)
    turned = type(batch)(batch.views[::-1], batch.image, batch.index)
    expected = (one_way(batch, NOW)[0] + one_way(turned, NOW)[0]) / 2
    torch.testing.assert_close(both(batch, NOW)[0], expected)


def test_without_momentum_the_key_encoder_is_the_query_encoder():
    moco = build("moco", momentum=0.0)
    with torch.no_grad():
        for parameter in [*moco.encoder.parameters(), *moco.head.parameters()]:
            parameter.add_(1.0)
    moco.after_step(NOW)
    for network, average in ((moco.encoder, moco.teacher), (moco.head, moco.teacher_head)):
        for mine, other in zip(network.parameters(), average.parameters(), strict=True):
            torch.testing.assert_close(mine, other)


def test_no_gradient_reaches_the_key_encoder():
    moco = build("moco").train()
    moco(batch_of(16, 16), NOW)[0].backward()
    assert all(p.grad is None for p in [*moco.teacher.parameters(), *moco.teacher_head.parameters()])
    assert all(p.grad is not None for p in moco.head.parameters())


def test_keys_of_a_shuffled_batch_stand_in_order():
    whole, shuffled = build("moco").train(), build("moco", shuffle=1).train()
    images = batch_of(16, 16).views[0]
    torch.testing.assert_close(keys_of(shuffled, images), keys_of(whole, images), rtol=1e-3, atol=1e-5)


def test_parts_of_a_shuffled_batch_have_their_own_statistics():
    whole, parts = build("moco").train(), build("moco", shuffle=4).train()
    images = batch_of(16, 16).views[0]
    assert (keys_of(parts, images) - keys_of(whole, images)).abs().max() > 1e-3
    torch.testing.assert_close(keys_of(parts.eval(), images), keys_of(whole.eval(), images))


def test_parts_of_one_image_are_refused():
    with pytest.raises(StageError, match="shuffle = 5 leaves parts of fewer than two of the 8 images"):
        build("moco", shuffle=5)


def test_v1_has_a_linear_head():
    assert isinstance(build("moco", head="linear").head, torch.nn.Linear)
