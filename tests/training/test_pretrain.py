"""The pretraining loop: what the method is given and when, what is kept, and what decides the result."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from medssl_bench.errors import StageError
from medssl_bench.methods import Method, Progress
from medssl_bench.training.optimizer import scheduled_rate


def weights(pretraining):
    return {name: tensor.clone() for name, tensor in pretraining.method.state_dict().items()}


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def indices(pretraining):
    return [batch.index.tolist() for batch in pretraining.method.training_batches]


# ----------------------------------------------------------------------------------------------- what it is given


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


# ----------------------------------------------------------------------------------------------- what it reports


def test_history_has_rate_loss_metrics_and_validation_of_each_epoch(pretrain):
    told = []
    training = pretrain(report=lambda *row: told.append(row), scores=(0.1, 0.2, 0.3))
    result = training.run()

    assert [row["epoch"] for row in result.history] == [0, 1, 2]
    names = {"epoch", "lr", "loss", "score", "difference", "val_loss", "val_score", "val_difference"}
    assert all(row.keys() == names for row in result.history)
    assert [row["val_score"] for row in result.history] == pytest.approx([0.1, 0.2, 0.3])
    schedule, optimizer = training.settings["schedule"], training.settings["optimizer"]
    assert [row["lr"] for row in result.history] == [
        scheduled_rate(epoch, 3.0, lr=optimizer["lr"], schedule=schedule) for epoch in range(3)
    ]
    assert [row[:3] for row in told] == [(epoch, 3, result.history[epoch]) for epoch in range(3)]
    assert all(speed > 0 for *_, speed in told)


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


# ----------------------------------------------------------------------------------------------- validation


def test_validation_views_are_the_same_at_every_epoch(pretrain):
    training = pretrain(val=16, batch_size=8)
    training.run()

    first, second, third = (training.method.validation_batches[start : start + 2] for start in (0, 2, 4))
    for others in (second, third):
        for batch, other in zip(first, others, strict=True):
            assert torch.equal(batch.index, other.index)
            assert all(torch.equal(a, b) for a, b in zip(batch.views, other.views, strict=True))
    assert not torch.equal(first[0].views[0], first[1].views[0])


@pytest.mark.parametrize(("val", "sizes"), [(20, [8, 8]), (16, [8, 8]), (8, [8]), (5, [5]), (1, [1]), (0, [])])
def test_validation_batches_have_as_many_candidates_each(pretrain, val, sizes):
    training = pretrain(train=20, val=val, batch_size=8, duration={"epochs": 1})
    result = training.run()

    assert [len(batch.index) for batch in training.method.validation_batches] == sizes
    assert ("val_loss" in result.history[0]) == bool(sizes)


def test_validation_changes_nothing(pretrain):
    often, seldom = pretrain(validate_every=1), pretrain(validate_every=3)

    often.run()
    seldom.run()

    assert equal(weights(often), weights(seldom))


def test_validation_comes_every_few_epochs_and_at_the_end(pretrain):
    result = pretrain(duration={"epochs": 6}, validate_every=4).run()

    assert [row["epoch"] for row in result.history if "val_score" in row] == [0, 4, 5]


# ----------------------------------------------------------------------------------------------- what is kept


def snapshots(pretrain, **settings):
    taken = []
    training = pretrain(report=lambda *_: taken.append(weights(training)), **settings)
    return training, training.run(), taken


@pytest.mark.parametrize(
    ("scores", "best"),
    [((0.1, 0.9, 0.5), 1), ((0.9, 0.9, 0.5), 0), ((0.1, 0.2, 0.3), 2), ((0.3, float("nan"), 0.2), 0)],
)
def test_the_best_epochs_weights_are_kept(pretrain, scores, best):
    training, result, taken = snapshots(pretrain, keep="best", scores=scores)

    assert result.epoch == best
    assert equal(weights(training), taken[best])
    assert not equal(taken[0], taken[2])
    assert len(result.history) == 3


def test_the_best_is_among_the_epochs_that_were_validated(pretrain):
    training, result, taken = snapshots(pretrain, keep="best", scores=(0.1, 0.9, 0.5), validate_every=2)

    assert result.epoch == 2
    assert equal(weights(training), taken[2])


def test_the_last_epoch_is_kept_by_default(pretrain):
    training, result, taken = snapshots(pretrain, scores=(0.9, 0.5, 0.1))

    assert result.epoch == 2
    assert equal(weights(training), taken[2])


def test_a_method_without_a_metric_cannot_keep_the_best(pretrain):
    class Unwatched(Method):
        def __init__(self):
            super().__init__(torch.nn.Linear(1, 1))

        def views(self):
            return ()

    with pytest.raises(StageError, match='Unwatched has no metric to choose by; set keep = "last"'):
        pretrain(Unwatched(), keep="best")


@pytest.mark.parametrize("val", [0, 20])
def test_the_best_cannot_be_kept_where_the_metric_is_never_measured(pretrain, val):
    training = pretrain(keep="best", val=val)
    if val:
        forward = training.method.forward
        training.method.forward = lambda *given: (forward(*given)[0], {})

    with pytest.raises(StageError, match='the validation images give no score to choose by; set keep = "last"'):
        training.run()


# ----------------------------------------------------------------------------------------------- what can go wrong


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


# ----------------------------------------------------------------------------------------------- what decides it


def test_the_same_settings_give_the_same_bits(pretrain):
    first, second = pretrain(), pretrain()

    history = first.run().history

    torch.manual_seed(123)  # what was drawn elsewhere must not matter
    assert second.run().history == history
    assert equal(weights(first), weights(second))


def test_another_seed_gives_other_batches_views_and_dropout(pretrain):
    first, second = pretrain(), pretrain(seed=1)
    first.run()
    second.run()

    assert indices(first) != indices(second)
    assert not equal(weights(first), weights(second))


def test_global_generators_are_left_as_they_were(pretrain):
    training = pretrain()
    torch.manual_seed(3)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002

    training.run()

    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002
    assert random.getstate() == before[2]


def test_another_augmentation_leaves_the_batches(pretrain):
    """Arms are paired: what differs between them is what the suite says."""
    plain, distorted = pretrain(augmentation="plain"), pretrain(augmentation="simclr")
    plain.run()
    distorted.run()

    assert indices(plain) == indices(distorted)
    assert not equal(weights(plain), weights(distorted))


def test_an_op_that_never_acts_changes_nothing(pretrain):
    crop = {"name": "resized_crop", "scale": [0.5, 1.0]}
    alone, beside = pretrain(augmentation=[crop]), pretrain(augmentation=[{"name": "solarize", "p": 0.0}, crop])
    alone.run()
    beside.run()

    assert equal(weights(alone), weights(beside))


def test_bfloat16_follows_float32(pretrain):
    single, half = pretrain(precision="float32"), pretrain(precision="bfloat16")

    expected, found = single.run().history, half.run().history

    assert single.method.dtypes == {torch.float32}
    assert half.method.dtypes == {torch.bfloat16}
    assert all(parameter.dtype == torch.float32 for parameter in half.method.parameters())
    for row, wanted in zip(found, expected, strict=True):
        assert row["loss"] == pytest.approx(wanted["loss"], rel=0.05)
        assert row["loss"] != wanted["loss"]
