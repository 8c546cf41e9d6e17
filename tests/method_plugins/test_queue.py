"""MoCo as an inline plugin: the queue, the momentum encoder, and what evaluation mode leaves alone."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from medssl_bench.methods import Progress

NOW = Progress(step=0, total=10, epoch=0)
METHOD = '{ name = "moco", keys = 40, momentum = 0.9, projection = 8 }'


def make_moco(make_method, **parameters):
    return make_method("queue.py", {"name": "moco", "keys": 20, "projection": 8, **parameters})


def test_a_suite_trains_with_it(run_suite):
    finished = run_suite("queue.py", METHOD)

    kept = finished.tensors("pretrain", "method")
    steps = 2 * (56 // 16)
    assert int(kept["oldest"]) == steps * 16 % 40
    torch.testing.assert_close(kept["queue"].norm(dim=1), torch.ones(40))
    assert finished.record("pretrain").metrics["val_top1"] <= 1
    assert all(math.isfinite(row["loss"]) and math.isfinite(row["val_loss"]) for row in finished.history())
    (cell,) = [
        c for p in finished.result.leaderboard.tables[0].panels if p.metric == "accuracy" for c in p.cells.values()
    ]
    assert 0 <= cell.mean <= 1


def test_the_same_seed_gives_the_same_bits(run_suite):
    first, second = (run_suite("queue.py", METHOD, store=store).record("pretrain") for store in ("a", "b"))

    assert first.key == second.key
    assert first.files["encoder.safetensors"] == second.files["encoder.safetensors"]
    assert first.files["method.safetensors"] == second.files["method.safetensors"]


def test_the_best_epoch_can_be_kept_as_the_method_has_a_metric(run_suite):
    finished = run_suite("queue.py", METHOD, epochs=3, recipe='keep = "best"')

    top1 = [row["val_top1"] for row in finished.history()]
    assert finished.record("pretrain").metrics["epoch_kept"] == top1.index(max(top1))


def test_new_keys_take_the_place_of_the_oldest(make_method, make_batch):
    moco = make_moco(make_method)
    before = moco.queue.clone()

    for number in range(3):  # 24 keys: around the end of a queue of 20
        batch = make_batch(16, 16, seed=number)
        moco(batch, NOW)
    moco.eval()
    newest = moco.queue[[16, 17, 18, 19, 0, 1, 2, 3]]

    assert int(moco.oldest) == 4
    assert not torch.isclose(moco.queue, before).all(dim=1).any()
    # the last batch's keys, by the key encoder in the mode in which it made them
    moco.train()
    expected = F.normalize(moco.key_head(moco.key_encoder(batch.views[1])), dim=1)
    torch.testing.assert_close(newest, expected)


def test_a_batch_longer_than_the_queue_leaves_its_last_keys(make_method, make_batch):
    moco = make_moco(make_method, keys=5)
    batch = make_batch(16, 16)

    moco(batch, NOW)

    torch.testing.assert_close(moco.queue, F.normalize(moco.key_head(moco.key_encoder(batch.views[1])), dim=1)[-5:])


def test_the_loss_is_eq_1_of_the_paper(make_method, make_batch):
    moco = make_moco(make_method, temperature=0.3).eval()
    batch = make_batch(16, 16)

    loss, metrics = moco(batch, NOW)

    queries = F.normalize(moco.head(moco.encoder(batch.views[0])), dim=1).detach().double()
    keys = F.normalize(moco.key_head(moco.key_encoder(batch.views[1])), dim=1).double()
    total, right = 0.0, 0
    for query, key in zip(queries, keys, strict=True):
        positive = math.exp(float(query @ key) / 0.3)
        negatives = [math.exp(float(query @ old) / 0.3) for old in moco.queue.double()]
        total -= math.log(positive / (positive + sum(negatives)))
        right += positive >= max(negatives)
    assert loss.item() == pytest.approx(total / len(queries), rel=1e-5)
    assert float(metrics["top1"]) == pytest.approx(right / len(queries))


def test_the_key_encoder_is_a_moving_average(make_method):
    moco = make_moco(make_method, momentum=0.75)
    before = [parameter.clone() for parameter in moco.key_encoder.parameters()]
    with torch.no_grad():
        for parameter in moco.encoder.parameters():
            parameter.add_(1.0)

    moco.after_step(NOW)

    for old, average, current in zip(before, moco.key_encoder.parameters(), moco.encoder.parameters(), strict=True):
        torch.testing.assert_close(average, 0.75 * old + 0.25 * current)
        assert not average.requires_grad


def test_evaluation_leaves_the_state_alone(make_method, make_batch):
    moco = make_moco(make_method).eval()
    before = {name: tensor.clone() for name, tensor in moco.state_dict().items()}

    with torch.no_grad():
        moco(make_batch(16, 16), NOW)

    assert all(torch.equal(tensor, before[name]) for name, tensor in moco.state_dict().items())
