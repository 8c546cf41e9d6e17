"""Fine-tuning: it learns, the epoch that counts is the right one, and what is kept gives the same predictions."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from medssl_bench.datasets import Task
from medssl_bench.datasets.base import LABELLED_TASKS
from medssl_bench.evaluators.classification import loss, probabilities, targets
from medssl_bench.evaluators.classifier_training import FineTuning
from medssl_bench.evaluators.minibatches import minibatches
from medssl_bench.metrics.classification import measure
from medssl_bench.randomness import forked
from medssl_bench.stopping import Stopped
from medssl_bench.testing.interrupting import Interrupting
from medssl_bench.testing.tape import Tape
from medssl_bench.training.images import DeviceImages
from medssl_bench.training.recording import recorded_by
from medssl_bench.training.steps import NotRecorded

SETTINGS = {"epochs": 6, "batch_size": 16, "lr": 0.01, "validate_every": 1}
ERRATIC = {**SETTINGS, "lr": 0.3}


def all_images(trial, split):
    images = DeviceImages(trial.splits[split], trial.device)
    return images.take(torch.arange(len(images)))


def by_hand(trial, *, epochs, batch_size, lr, weight_decay=0.0):
    """Train as the thesis' table says; yield the model in evaluation mode after every epoch."""
    task = trial.info.task
    encoder = trial.encoder()
    with forked(trial.stream("classifier weights")):
        head = nn.Linear(encoder.dim, len(trial.info.classes))
    model = nn.Sequential(encoder, head)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=weight_decay)
    images = all_images(trial, "train")[trial.train]
    wanted = targets(task, trial.splits["train"].labels[trial.train])
    for epoch in range(epochs):
        model.train()
        for batch in minibatches(len(images), batch_size, trial.stream("finetune batches", epoch=epoch)):
            optimizer.zero_grad()
            loss(task, model(images[batch]), wanted[batch]).backward()
            optimizer.step()
        with torch.no_grad():
            yield model.eval()


@pytest.mark.parametrize("task", list(LABELLED_TASKS))
def test_it_learns(make_trial, make_evaluator, task):
    trial = make_trial(task, classes=2 if task is Task.BINARY else 3, noise=0.2)

    found = make_evaluator("finetune", **{**SETTINGS, "epochs": 25}).evaluate(trial)

    measured = measure(task, trial.splits["test"].labels, found.scores)
    assert measured["accuracy"] > 0.9
    assert measured["auroc"] > 0.95
    assert found.history[-1]["loss"] < 0.5 * found.history[0]["loss"]
    assert all(0 <= row["val_accuracy"] <= 1 for row in found.history)


@pytest.mark.parametrize("task", [Task.MULTI_CLASS, Task.MULTI_LABEL])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_training_is_that_of_a_plain_loop(make_trial, make_evaluator, task, weight_decay):
    trial = make_trial(task, noise=1.0, selection="last", train=range(40))

    found = make_evaluator("finetune", **SETTINGS, weight_decay=weight_decay).evaluate(trial)

    *_, model = by_hand(trial, epochs=6, batch_size=16, lr=0.01, weight_decay=weight_decay)
    with torch.no_grad():
        expected = probabilities(task, model(all_images(trial, "test")))
    np.testing.assert_allclose(found.scores, expected, atol=1e-3)


@pytest.mark.parametrize("selection", ["validation", "test"])
@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_epoch_that_counts_is_the_best_of_those_looked_at(
    make_trial, make_evaluator, selection, every, seed, monkeypatch
):
    """Brute force: the logits of every epoch that is looked at are stored, and the best is searched for afterwards."""
    trial = make_trial(noise=3.0, selection=selection, val=range(12), seed=seed)
    evaluator = make_evaluator("finetune", **{**ERRATIC, "validate_every": every})
    test = DeviceImages(trial.splits["test"], trial.device)
    stored = []
    predict = FineTuning._predict

    def noted(training, images):
        logits = predict(training, images)
        stored.append((logits, predict(training, test)))
        return logits

    monkeypatch.setattr(FineTuning, "_predict", noted)
    found = evaluator.evaluate(trial)

    looked = [epoch for epoch in range(6) if (epoch + 1) % every == 0 or epoch == 5]
    labels = trial.splits["val"].labels[:12] if selection == "validation" else trial.splits["test"].labels
    wanted = targets(Task.MULTI_CLASS, labels)
    ranks = [
        ((logits.argmax(dim=1) == wanted).float().mean().item(), -loss(Task.MULTI_CLASS, logits, wanted).item())
        for logits, _ in stored[: len(looked)]
    ]
    best = max(range(len(looked)), key=lambda number: ranks[number])
    assert found.selected_epoch == looked[best]
    assert np.array_equal(found.scores, probabilities(Task.MULTI_CLASS, stored[best][1]))
    assert np.array_equal(found.last_scores, probabilities(Task.MULTI_CLASS, stored[len(looked) - 1][1]))
    assert [row["epoch"] for row in found.history] == looked
    assert [row["val_accuracy"] for row in found.history] == pytest.approx([first for first, _ in ranks])


@pytest.mark.parametrize("given", [{"selection": "last"}, {"val": []}])
def test_else_the_last_epoch_counts(make_trial, make_evaluator, given):
    found = make_evaluator("finetune", **SETTINGS).evaluate(make_trial(noise=2.0, **given))

    assert found.selected_epoch == 5
    assert np.array_equal(found.scores, found.last_scores)
    assert all(row.keys() == {"epoch", "loss"} for row in found.history)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_weights_that_are_kept_give_the_scores(make_trial, make_evaluator, seed):
    trial = make_trial(noise=3.0, val=range(12), seed=seed)

    found = make_evaluator("finetune", **ERRATIC).evaluate(trial)

    assert found.selected_epoch < 5  # an earlier epoch's weights had to be kept
    assert not np.array_equal(found.scores, found.last_scores)
    encoder, head = trial.encoder(), nn.Linear(16, 3)
    encoder.load_state_dict(found.weights["encoder"])
    head.load_state_dict(found.weights["head"])
    with torch.no_grad():
        one_by_one = torch.cat([head(encoder.eval()(image[None])) for image in all_images(trial, "test")])
    np.testing.assert_allclose(found.scores, one_by_one.softmax(dim=1).numpy(), atol=1e-5)


def test_the_encoder_is_trained_too(make_trial, make_evaluator):
    trial = make_trial()

    found = make_evaluator("finetune", **SETTINGS).evaluate(trial)

    before = trial.encoder().state_dict()
    assert found.weights["encoder"].keys() == before.keys()
    assert not any(torch.equal(found.weights["encoder"][name], before[name]) for name in before)


def test_a_plain_augmentation_changes_nothing_and_another_does(make_trial, make_evaluator):
    none, plain, distorted = (
        make_evaluator("finetune", **SETTINGS, **given).evaluate(make_trial()).scores
        for given in ({}, {"augmentation": "plain"}, {"augmentation": "simclr"})
    )

    np.testing.assert_allclose(none, plain, atol=1e-3)
    assert not np.allclose(none, distorted, atol=1e-2)


def test_labels_outside_the_draw_are_not_looked_at(make_trial, make_evaluator):
    kept, spoiled = make_trial(train=range(30), val=range(10)), make_trial(train=range(30), val=range(10))
    for split, first in (("train", 30), ("val", 10), ("test", 0)):
        spoiled.splits[split].labels[first:] = 0

    first, second = (make_evaluator("finetune", **SETTINGS).evaluate(trial).scores for trial in (kept, spoiled))

    assert np.array_equal(first, second)


def test_the_seed_decides_and_nothing_else(make_trial, make_evaluator):
    evaluator = make_evaluator("finetune", **SETTINGS, augmentation="simclr")
    torch.manual_seed(1)
    state = torch.get_rng_state()

    first = evaluator.evaluate(make_trial(noise=1.0)).scores
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)

    assert np.array_equal(first, evaluator.evaluate(make_trial(noise=1.0)).scores)
    assert not np.array_equal(first, evaluator.evaluate(make_trial(noise=1.0, seed=1)).scores)


def test_bfloat16_follows_float32(make_trial, make_evaluator):
    single, half = (
        make_evaluator("finetune", **SETTINGS, precision=precision).evaluate(make_trial(noise=0.2))
        for precision in ("float32", "bfloat16")
    )

    assert half.history[0]["loss"] == pytest.approx(single.history[0]["loss"], rel=0.05)
    assert half.history[0]["loss"] != single.history[0]["loss"]
    assert all(tensor.dtype != torch.bfloat16 for tensor in half.weights["encoder"].values())


def test_in_bfloat16_the_classifier_is_float32(make_trial, make_evaluator):
    """Rounded logits would tie, and ties decide accuracy and AUROC."""
    trial = make_trial(noise=0.2, selection="last")

    found = make_evaluator("finetune", **SETTINGS, precision="bfloat16").evaluate(trial)

    encoder = trial.encoder()
    encoder.load_state_dict(found.weights["encoder"])
    pixels = torch.from_numpy(trial.splits["test"].images).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        features = encoder.eval().to(memory_format=torch.channels_last)(pixels)
    head = {name: weight.double() for name, weight in found.weights["head"].items()}
    logits = features.double() @ head["weight"].T + head["bias"]
    np.testing.assert_allclose(found.scores, logits.softmax(dim=1).numpy(), rtol=1e-5)


def test_what_a_plan_needs_to_know(make_evaluator):
    evaluator = make_evaluator("finetune", epochs=7)

    assert (evaluator.needs, evaluator.trains_encoder, evaluator.images_seen(100)) == ("encoder", True, 700)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"augmentation": "simclr"},
        {"precision": "bfloat16"},
        {"balance": "oversample", "weight_decay": 0.1},
        {"validate_every": 4},
    ],
)
@pytest.mark.parametrize("selection", ["validation", "last"])
def test_one_that_is_interrupted_anywhere_ends_to_the_bit_as_one_that_is_not(
    make_trial, make_evaluator, selection, settings
):
    trial = make_trial(noise=3.0, selection=selection, val=range(12), train=range(20))
    evaluator = make_evaluator("finetune", **{**ERRATIC, "epochs": 3, "batch_size": 8, **settings})
    whole = evaluator.evaluate(trial)
    for place in (0, 2, 3, 7):  # nine steps; nothing is saved after the last
        interrupting = Interrupting(place)
        with pytest.raises(Stopped):
            evaluator.evaluate(replace(trial, checkpoints=interrupting))
        found = evaluator.evaluate(replace(trial, checkpoints=interrupting))
        assert np.array_equal(found.scores, whole.scores)
        assert np.array_equal(found.last_scores, whole.last_scores)
        assert (found.history, found.selected_epoch) == (whole.history, whole.selected_epoch)
        for part, weights in whole.weights.items():
            assert all(torch.equal(found.weights[part][name], tensor) for name, tensor in weights.items())


@pytest.mark.parametrize("augmentation", [None, ["resized_crop", "color_jitter"]])
def test_recorded_steps_end_to_the_bit_as_those_by_hand(make_trial, make_evaluator, monkeypatch, augmentation):
    """Of whole batches and of the rest of an epoch: 60 images are three of 16 and one of 12."""
    monkeypatch.setattr(type(make_trial().encoder()), "recordable", True, raising=False)
    how = {**SETTINGS, "epochs": 9, "lr": 2**-7, **({"augmentation": augmentation} if augmentation else {})}
    by_hand = make_evaluator("finetune", **how).evaluate(make_trial())

    with recorded_by(lambda _: Tape()), warnings.catch_warnings():
        warnings.simplefilter("error", NotRecorded)
        found = make_evaluator("finetune", **how).evaluate(make_trial())

    assert found.history == by_hand.history
    np.testing.assert_array_equal(found.scores, by_hand.scores)


def test_an_optimizer_of_its_own_is_used(make_trial, make_evaluator):
    trial = make_trial(Task.MULTI_CLASS, classes=3)
    plain = make_evaluator("finetune", **SETTINGS).evaluate(trial)
    rest = {name: value for name, value in SETTINGS.items() if name != "lr"}
    named = {"name": "adam", "lr": SETTINGS["lr"], "weight_decay": 0.0}
    constant = {"name": "constant", "warmup": 0}

    same = make_evaluator("finetune", **rest, optimizer=named, schedule=constant).evaluate(trial)
    falling = make_evaluator("finetune", **rest, optimizer=named, schedule="cosine").evaluate(trial)
    other = make_evaluator("finetune", **rest, optimizer={**named, "name": "sgd"}).evaluate(trial)

    decayed = {**named, "name": "adamw", "weight_decay": 0.1}
    steady, growing = (
        make_evaluator("finetune", **rest, optimizer={**decayed, "weight_decay_end": end}).evaluate(trial)
        for end in (0.1, 50.0)
    )

    assert np.array_equal(same.scores, plain.scores), "Adam by its name is Adam"
    assert not np.allclose(steady.scores, growing.scores)
    assert not np.array_equal(falling.scores, plain.scores)
    assert not np.array_equal(other.scores, plain.scores)
