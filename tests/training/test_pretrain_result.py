"""What a pretraining gives: validation, the epoch that is kept, and what decides the result."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from medssl_bench.errors import StageError
from medssl_bench.methods import Method


def weights(pretraining):
    return {name: tensor.clone() for name, tensor in pretraining.method.state_dict().items()}


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def indices(pretraining):
    return [batch.index.tolist() for batch in pretraining.method.training_batches]


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


def snapshots(pretrain, **settings):
    taken = []
    training = pretrain(report=lambda *told: taken.append(weights(training)) if told[2] else None, **settings)
    return training, training.run(), taken


@pytest.mark.parametrize(
    ("scores", "best"),
    [((0.1, 0.9, 0.5), 1), ((0.9, 0.9, 0.5), 0), ((0.1, 0.2, 0.3), 2)],
)
def test_the_best_epochs_weights_are_kept(pretrain, scores, best):
    training, result, taken = snapshots(pretrain, keep="best", scores=scores)

    assert result.epoch == best
    assert equal(weights(training), taken[best])
    assert not equal(taken[0], taken[2])
    assert len(result.history) == 3


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_metric_that_is_no_number_is_told_with_its_epoch(pretrain, value):
    """A history with it would be no JSON, and the best of such numbers is none."""
    with pytest.raises(StageError, match=rf"method 'Watched': val_score is {value} in epoch 2"):
        pretrain(keep="best", scores=(0.3, float(value), 0.2)).run()


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
