"""FixMatch: what it learns from other images, that it never sees their labels, and its moving average."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from medssl_bench_methods.supervised.fixmatch_training import FixMatchTraining

from medssl_bench.datasets import Images, Split, Task
from medssl_bench.stopping import Stopped
from medssl_bench.testing.interrupting import Interrupting

SHORT = {"epochs": 4, "batch_size": 10, "lr": 0.01, "validate_every": 1, "mu": 2, "threshold": 0.3}
BATCHES = 3  # of 24 images in an epoch


def poisoned(trial):
    """Return a cell whose other labels are of no class, so that a loss that reads one fails."""
    drawn = {"train": trial.train, "val": trial.val, "test": np.empty(0, dtype=np.int64)}
    splits = {}
    for name, split in trial.splits.items():
        labels = np.full_like(split.labels, -7)
        labels[drawn[name]] = split.labels[drawn[name]]
        splits[name] = Split(split.images, labels)
    return replace(trial, splits=splits)


def test_other_labels_are_never_read(make_trial, make_evaluator, assert_same):
    trial, evaluator = make_trial(), make_evaluator("fixmatch", **SHORT)
    assert_same(evaluator.evaluate(poisoned(trial)), evaluator.evaluate(trial))


@pytest.mark.parametrize("unlabelled_weight", [0.0, 1.0])
def test_above_1_it_is_training_without_other_images(make_trial, make_evaluator, unlabelled_weight):
    """Without batch normalisation, and without a moving average, it is ``finetune`` on weak views."""
    trial = make_trial(normalized=False)
    shared = {name: SHORT[name] for name in ("epochs", "batch_size", "lr", "validate_every")}
    alone = make_evaluator("finetune", **shared, augmentation="fixmatch_weak").evaluate(trial)
    made = {"mu": 2, "ema": 0.0, "unlabelled_weight": unlabelled_weight}
    none, some = (make_evaluator("fixmatch", **shared, **made, threshold=at).evaluate(trial) for at in (1.01, 0.3))

    np.testing.assert_allclose(none.scores, alone.scores, atol=1e-5)
    assert [row["loss"] for row in none.history] == pytest.approx([row["loss"] for row in alone.history], rel=1e-4)
    assert {row["confident"] for row in none.history} == {0.0}
    assert np.allclose(some.scores, alone.scores, atol=1e-4) == (unlabelled_weight == 0)


def test_other_images_decide_and_are_those_of_the_data_set_too(make_trial, make_evaluator):
    evaluator = make_evaluator("fixmatch", **SHORT)
    trial = make_trial(selection="last")
    split = trial.splits["train"]
    changed = split.images.copy()
    changed[0] = 255 - changed[0]  # an image that is not labelled
    assert 0 not in trial.train
    found = [
        evaluator.evaluate(each).scores
        for each in (
            trial,
            replace(trial, splits={**trial.splits, "train": Split(changed, split.labels)}),
            replace(trial, unlabelled=None),
            replace(trial, unlabelled=Images(255 - trial.unlabelled.images)),
        )
    ]
    assert not any(np.array_equal(found[0], other) for other in found[1:])


def test_a_batch_has_as_many_others_as_are_asked_for(make_trial, make_evaluator):
    trial = make_trial(unlabelled=None)
    training = FixMatchTraining(trial, make_evaluator("fixmatch", **{**SHORT, "mu": 4}))
    drawn = training._drawn(0, 24)
    assert (len(drawn), set(drawn.bincount(minlength=36).tolist())) == (96, {2, 3}), "of 36 images, 96 in one batch"
    few = training._drawn(1, 4)
    assert len(few) == len(few.unique()) == 16
    assert not torch.equal(few, training._drawn(2, 4))
    (places, images), *_ = training.stream([torch.arange(10), torch.arange(4)])
    assert (len(places), len(images)) == (10, 50)


def test_confident_images_are_counted(make_trial, make_evaluator):
    def confident(threshold, **more):
        found = make_evaluator("fixmatch", **{**SHORT, "threshold": threshold, **more}).evaluate(make_trial())
        return [row["confident"] for row in found.history]

    assert confident(0.0) == [1.0] * 4
    assert confident(1.01) == [0.0] * 4
    rising = confident(0.8, epochs=15)
    assert rising[0] < 0.2 < 0.4 < rising[-1] <= 1


def test_the_average_is_that_of_the_formula(make_trial, make_evaluator, monkeypatch):
    """``ema * average + (1 - ema) * weights`` after each step, ema being no more than (1 + t) / (10 + t)."""
    seen, move = [], FixMatchTraining.after_step

    def noted(training):
        seen.append({name: tensor.clone() for name, tensor in training.model.state_dict().items()})
        move(training)

    monkeypatch.setattr(FixMatchTraining, "after_step", noted)
    trial = make_trial(selection="last")
    training = FixMatchTraining(trial, make_evaluator("fixmatch", **{**SHORT, "ema": 0.5}))
    average = {name: tensor.clone().double() for name, tensor in training.model.state_dict().items()}
    found = training.run()

    assert len(seen) == 4 * BATCHES
    for step, weights in enumerate(seen):
        kept = min(0.5, (1 + step) / (10 + step))
        for name, now in weights.items():
            average[name] = now.double() if "running" in name else kept * average[name] + (1 - kept) * now.double()
    for name, tensor in training.predictor.state_dict().items():
        if "batches" not in name:
            torch.testing.assert_close(tensor.double(), average[name], rtol=1e-4, atol=1e-6)
    last = training.model[1].weight
    assert not torch.allclose(found.weights["head"]["weight"], last, rtol=1e-3)
    torch.testing.assert_close(found.weights["head"]["weight"], training.predictor[1].weight)


@pytest.mark.parametrize("place", [0, BATCHES - 1, 2 * BATCHES])
def test_one_that_is_interrupted_ends_to_the_bit_as_one_that_is_not(make_trial, make_evaluator, assert_same, place):
    trial, evaluator, interrupting = make_trial(), make_evaluator("fixmatch", **SHORT), Interrupting(place)
    with pytest.raises(Stopped):
        evaluator.evaluate(replace(trial, checkpoints=interrupting))
    assert_same(evaluator.evaluate(replace(trial, checkpoints=interrupting)), evaluator.evaluate(trial))


def test_recorded_steps_end_to_the_bit_as_those_by_hand(make_trial, make_evaluator, recorded, assert_same):
    trial, evaluator = make_trial(), make_evaluator("fixmatch", **{**SHORT, "epochs": 7, "lr": 2**-7})
    assert_same(recorded(evaluator, trial), evaluator.evaluate(trial))


def test_it_learns_of_grey_images_in_bfloat16_and_of_all_labels(make_trial, make_evaluator):
    trial = make_trial()
    grey = {name: Split(split.images[..., 0].copy(), split.labels) for name, split in trial.splits.items()}
    every = np.arange(len(trial.splits["train"]))
    trial = replace(trial, splits=grey, unlabelled=None, train=every, selection="last")
    found = make_evaluator("fixmatch", **{**SHORT, "epochs": 15, "precision": "bfloat16"}).evaluate(trial)
    assert (found.scores.argmax(axis=1) == trial.splits["test"].labels[:, 0]).mean() > 0.9
    assert all(tensor.dtype != torch.bfloat16 for tensor in found.weights["encoder"].values())


def test_what_a_plan_needs_to_know(make_trial, make_evaluator):
    evaluator = make_evaluator("fixmatch", epochs=5)
    assert evaluator.images_seen(100) == 5 * 800
    assert (evaluator.passes(100).steps(100), evaluator.passes(100).per_image) == (2, 15)
    for task in (Task.BINARY, Task.ORDINAL, Task.MULTI_CLASS):
        assert evaluator.refuses(make_trial(task=task).info) == ""
    assert evaluator.refuses(make_trial(task=Task.MULTI_LABEL).info).startswith("its images have several labels")
