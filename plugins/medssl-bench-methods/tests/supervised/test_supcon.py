"""SupCon: two stages that a plain loop and the linear probe do as well, interrupted and recorded to the bit."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pytorch_metric_learning.losses import SupConLoss
from torch import nn

from medssl_bench.augmentations.views import draw_view
from medssl_bench.datasets import Split, Task
from medssl_bench.errors import StageError
from medssl_bench.evaluators.linear_probe import LinearProbe
from medssl_bench.evaluators.minibatches import minibatches
from medssl_bench.randomness import forked, generator
from medssl_bench.stages.embed import features
from medssl_bench.stopping import Stopped
from medssl_bench.testing.interrupting import Interrupting
from medssl_bench.training.images import DeviceImages

SHORT = {"epochs": 3, "batch_size": 10, "lr": 0.01, "validate_every": 1, "probe_epochs": 4}
BATCHES = 3  # of 24 images in an epoch


@pytest.fixture
def trial(make_trial):
    return make_trial(name="supcon")


def test_the_first_stage_is_that_of_a_plain_loop(trial, make_evaluator):
    evaluator = make_evaluator("supcon", **SHORT, temperature=0.2, projection=16)

    found = evaluator.evaluate(trial)

    encoder = trial.encoder()
    with forked(trial.stream("projection weights")):
        head = nn.Sequential(nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 16))
    model = nn.Sequential(encoder, head)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    images = DeviceImages(trial.splits["train"], trial.device, trial.train)
    labels = torch.from_numpy(trial.splits["train"].labels[trial.train, 0])
    augment = evaluator.augmentation(size=28)
    for epoch in range(3):
        for number, places in enumerate(minibatches(24, 10, trial.stream("finetune batches", epoch=epoch))):
            batch = images.take(torch.from_numpy(places))
            keys = [trial.stream("finetune views", epoch=epoch, batch=number, **more) for more in ({}, {"view": 1})]
            both = torch.cat([draw_view(augment, batch, key) for key in keys])
            optimizer.zero_grad()
            SupConLoss(temperature=0.2)(model(both), labels[places].repeat(2)).backward()
            optimizer.step()
    assert [row["epoch"] for row in found.history] == list(range(7))
    for name, tensor in encoder.state_dict().items():
        torch.testing.assert_close(found.weights["encoder"][name], tensor, rtol=1e-3, atol=1e-4)


def test_the_second_stage_is_the_linear_probe_on_the_features(trial, make_evaluator):
    found = make_evaluator("supcon", **SHORT).evaluate(trial)

    encoder = trial.encoder()
    encoder.load_state_dict(found.weights["encoder"])
    embedded = replace(trial, features=features(encoder, trial.splits, trial.device))
    probe = LinearProbe(epochs=4, validate_every=1).evaluate(embedded)
    np.testing.assert_allclose(found.scores, probe.scores, atol=1e-5)
    assert found.selected_epoch == probe.selected_epoch + 3
    assert [row["loss"] for row in found.history[3:]] == pytest.approx([row["loss"] for row in probe.history])


def test_labels_are_what_it_learns(make_trial, make_evaluator):
    """The negative control: of labels in a random order it learns nothing about the test images."""
    evaluator = make_evaluator("supcon", epochs=40, lr=0.01, augmentation="fixmatch_weak", probe_epochs=100)
    trial = make_trial(name="supcon", selection="last")
    split = trial.splits["train"]
    mixed = Split(split.images, generator("mixed").permutation(split.labels))
    accuracy = [
        (evaluator.evaluate(each).scores.argmax(axis=1) == trial.splits["test"].labels[:, 0]).mean()
        for each in (trial, replace(trial, splits={**trial.splits, "train": mixed}))
    ]
    assert accuracy[0] > 0.9
    assert accuracy[1] < 0.5, "there are four classes"


@pytest.mark.parametrize("place", [0, BATCHES - 1, 2 * BATCHES])
def test_one_that_is_interrupted_ends_to_the_bit_as_one_that_is_not(trial, make_evaluator, assert_same, place):
    evaluator = make_evaluator("supcon", **SHORT)
    interrupting = Interrupting(place)
    with pytest.raises(Stopped):
        evaluator.evaluate(replace(trial, checkpoints=interrupting))
    assert_same(evaluator.evaluate(replace(trial, checkpoints=interrupting)), evaluator.evaluate(trial))


def test_recorded_steps_end_to_the_bit_as_those_by_hand(make_trial, make_evaluator, recorded, assert_same):
    trial, evaluator = make_trial(name="supcon"), make_evaluator("supcon", **{**SHORT, "epochs": 7, "lr": 2**-7})
    assert_same(recorded(evaluator, trial), evaluator.evaluate(trial))


def test_a_last_epoch_counts_where_nothing_chooses(make_trial, make_evaluator):
    found = make_evaluator("supcon", **SHORT).evaluate(make_trial(name="supcon", val=np.empty(0, dtype=np.int64)))
    assert found.selected_epoch == 6
    np.testing.assert_array_equal(found.scores, found.last_scores)


def test_what_a_plan_and_those_who_watch_need_to_know(trial, make_evaluator):
    evaluator, seen = make_evaluator("supcon", **SHORT), []
    evaluator.evaluate(
        replace(trial, report=lambda epoch, epochs, metrics: seen.append((epoch, epochs, bool(metrics))))
    )
    assert [epoch for epoch, _, ended in seen if ended] == list(range(7))
    assert {epochs for _, epochs, _ in seen} == {7}
    assert evaluator.images_seen(100) == 300
    assert (evaluator.passes(100).per_image, evaluator.passes(100).epochs, evaluator.passes(100).looks) == (2, 3, 1)


def test_what_it_refuses(make_trial, make_evaluator):
    evaluator = make_evaluator("supcon", **SHORT)
    for task in (Task.BINARY, Task.ORDINAL, Task.MULTI_CLASS):
        assert evaluator.refuses(make_trial(task=task).info) == ""
    assert evaluator.refuses(make_trial(task=Task.MULTI_LABEL).info).startswith("its images have several labels")
    with pytest.raises(StageError, match="two labelled images or more"):
        evaluator.evaluate(make_trial(name="supcon", train=np.arange(1)))
