"""The pretraining loop: what the method is given and when, what is reported, and what can go wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR

from medssl_bench.errors import StageError
from medssl_bench.methods import Progress
from medssl_bench.training.optimizer import make_schedule


def indices(pretraining):
    return [batch.index.tolist() for batch in pretraining.method.training_batches]


def test_every_epoch_is_another_order_of_whole_batches(pretrain):
    training = pretrain(train=20, batch_size=8)
    training.run()

    seen = indices(training)
    assert [len(index) for index in seen] == [8] * 6
    epochs = [seen[0] + seen[1], seen[2] + seen[3], seen[4] + seen[5]]
    for epoch in epochs:
        assert len(set(epoch)) == 16
        assert set(epoch) < set(range(20))
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_a_batch_holds_the_images_of_its_index_and_two_views_of_them(pretrain):
    training = pretrain(augmentation="plain")
    training.run()

    for batch in training.method.training_batches:
        assert torch.equal(batch.image, training.train.take(batch.index))
        for view in batch.views:  # the plain augmentation changes nothing
            torch.testing.assert_close(view, batch.image)


def test_views_of_one_image_differ_and_change_from_step_to_step(pretrain):
    training = pretrain(train=8, batch_size=8)
    training.run()

    first, second = training.method.training_batches[:2]
    assert not torch.equal(*first.views)
    again = second.views[0][torch.argsort(second.index)]
    assert not torch.isclose(first.views[0][torch.argsort(first.index)], again).all(dim=(1, 2, 3)).any()


def test_the_method_is_called_at_an_epochs_start_and_after_every_step(pretrain):
    training = pretrain(train=20, val=8, batch_size=8, duration={"epochs": 2})
    training.run()

    found = [call[:3] for call in training.method.calls]
    expected = []
    for epoch in range(2):
        now = Progress(2 * epoch, 4, epoch)
        expected.append(("epoch", False, now))
        for step in (2 * epoch, 2 * epoch + 1):
            expected += [("forward", True, Progress(step, 4, epoch)), ("after", True, Progress(step, 4, epoch))]
        expected.append(("forward", False, Progress(2 * epoch + 2, 4, epoch)))
    assert found == expected
    starts = [call for call in training.method.calls if call[0] == "epoch"]
    assert [call[3:] for call in starts] == [(20, [10, 10])] * 2


def test_after_step_sees_the_new_weights(pretrain):
    training = pretrain()
    before = training.method.head.weight.detach().clone()
    training.run()

    after = [call[3] for call in training.method.calls if call[0] == "after"]
    assert not torch.equal(after[0], before)
    assert torch.equal(after[-1], training.method.head.weight)


def test_a_duration_in_steps_ends_in_the_middle_of_an_epoch(pretrain):
    training = pretrain(train=20, batch_size=8, duration={"steps": 5})
    result = training.run()

    assert [len(epoch) for epoch in (indices(training)[:2], indices(training)[2:4], indices(training)[4:])] == [2, 2, 1]
    assert len(result.history) == 3
    assert result.images_seen == 40


def test_a_set_smaller_than_a_batch_is_one_batch(pretrain):
    training = pretrain(train=5, batch_size=256)
    result = training.run()

    assert [sorted(index) for index in indices(training)] == [list(range(5))] * 3
    assert result.images_seen == 15


def test_history_has_rate_loss_metrics_and_validation_of_each_epoch(pretrain):
    told = []
    training = pretrain(report=lambda *row: told.append(row), scores=(0.1, 0.2, 0.3))
    result = training.run()

    assert [row["epoch"] for row in result.history] == [0, 1, 2]
    names = {"epoch", "lr", "loss", "score", "difference", "val_loss", "val_score", "val_difference"}
    names |= {"val_feature_spread", "val_feature_rank", "val_feature_cosine"}
    assert all(row.keys() == names for row in result.history)
    assert [row["val_score"] for row in result.history] == pytest.approx([0.1, 0.2, 0.3])
    schedule, optimizer = training.settings["schedule"], training.settings["optimizer"]
    assert [row["lr"] for row in result.history] == [
        make_schedule(schedule)(epoch, 3.0, optimizer["lr"]) for epoch in range(3)
    ]
    begun, ended = told[::2], told[1::2]
    assert begun == [(epoch, 3, {}, None) for epoch in range(3)]
    assert [row[:3] for row in ended] == [(epoch, 3, result.history[epoch]) for epoch in range(3)]
    assert all(speed > 0 for *_, speed in ended)


def test_the_loss_of_an_epoch_is_the_mean_of_its_batches(pretrain):
    training = pretrain(duration={"epochs": 1})
    losses = []
    forward = training.method.forward

    def noted(batch, progress):
        loss, metrics = forward(batch, progress)
        if training.method.training:
            losses.append(loss.item())
        return loss, metrics

    training.method.forward = noted
    result = training.run()

    assert len(losses) == 2
    assert result.history[0]["loss"] == pytest.approx(np.mean(losses))


def test_training_learns(pretrain):
    optimizer = {"name": "adam", "lr": 3e-2, "weight_decay": 0.0}
    result = pretrain(augmentation="plain", duration={"epochs": 30}, optimizer=optimizer).run()

    losses = [row["loss"] for row in result.history]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_loss_that_is_no_number_fails_in_one_line(pretrain, value):
    training = pretrain()
    forward = training.method.forward

    def diverging(batch, progress):
        loss, metrics = forward(batch, progress)
        return (loss * float(value) if progress.epoch == 1 else loss), metrics

    training.method.forward = diverging

    with pytest.raises(StageError, match=r"the loss is (nan|inf) in epoch 2; try a smaller learning rate"):
        training.run()


@pytest.mark.parametrize("duration", [{"steps": 12}, {"images_seen": 96}])
def test_a_duration_in_steps_anneals_by_steps_whatever_the_number_of_images(pretrain, duration, monkeypatch):
    found = {}
    for train in (8, 16, 96):
        rates = found[train] = []
        training = pretrain(train=train, val=0, batch_size=8, duration=duration)
        monkeypatch.setattr(
            "medssl_bench.training.pretrain.set_learning_rate", lambda _, lr, rates=rates: rates.append(lr)
        )
        training.run()

    lr = training.settings["optimizer"]["lr"]
    sgd = SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    annealing = CosineAnnealingLR(sgd, 12, eta_min=training.settings["schedule"]["minimum"])
    expected = []
    for _ in range(12):
        expected.append(sgd.param_groups[0]["lr"])
        sgd.step()
        annealing.step()
    for rates in found.values():
        assert rates == pytest.approx(expected)
