"""Settings that validation labels choose: the choice is that of a search by hand, and nothing of the test is in it."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from evaluators.test_criterion import brier, built_in
from sklearn.metrics import accuracy_score

from medssl_bench.datasets import Split, Task
from medssl_bench.errors import StageError
from medssl_bench.evaluators import Evaluation, Evaluator
from medssl_bench.evaluators.candidates import judged_on_validation
from medssl_bench.evaluators.tuned import Tuned
from medssl_bench.randomness import forked, stream
from medssl_bench.stopping import Stopped
from medssl_bench.testing.interrupting import Interrupting

GRIDS = {
    "linear_probe": ({"epochs": 6, "validate_every": 2}, {"lr": [0.001, 0.05, 0.5], "weight_decay": [0.0, 0.1]}),
    "logistic": ({"values": 5}, {"largest": [1e-3, 1.0]}),
    "finetune": (
        {"epochs": 2, "validate_every": 1},
        {"batch_size": [16, 40], "optimizer": ["adam", "sgd"]},
    ),
    "knn": ({}, {"k": [1, 3, 15]}),
}


def same(one, other):
    """Require that two evaluations are the same to the bit, but for what was tried before."""
    assert (one.history, one.metrics, one.flags) == (other.history, other.metrics, other.flags)
    assert one.selected_epoch == other.selected_epoch
    np.testing.assert_array_equal(one.scores, other.scores)
    np.testing.assert_array_equal(one.last_scores, other.last_scores)
    assert one.weights.keys() == other.weights.keys()
    for part, weights in one.weights.items():
        assert all(torch.equal(other.weights[part][name], tensor) for name, tensor in weights.items())


def combinations(tune):
    """Return the candidates in the order in which they are tried: names sorted, the last one changes first."""
    names = sorted(tune)
    return [dict(zip(names, values, strict=True)) for values in product(*(tune[name] for name in names))]


def as_scored_by_hand(trial, scores):
    """Return how good predictions of the labelled validation images are, by scikit-learn."""
    labels = trial.splits["val"].labels[trial.val, 0]
    right = scores.astype(np.float64)[np.arange(len(labels)), labels]
    return accuracy_score(labels, scores.argmax(axis=1)), np.log(np.maximum(right, 1e-12)).mean()


def search(make_evaluator, trial, name, settings, tune):
    """Try every candidate as an evaluator of its own, on a trial whose test images are the validation images."""
    split, places = trial.splits["val"], trial.val
    shown = Split(split.images[places], split.labels[places])
    features = {**trial.features, "test": trial.features["val"][torch.from_numpy(places)]}
    swapped = replace(trial, splits={**trial.splits, "test": shown}, features=features)
    ranks = [
        as_scored_by_hand(trial, make_evaluator(name, **settings, **each).evaluate(swapped).scores)
        for each in combinations(tune)
    ]
    best = max(range(len(ranks)), key=lambda place: (round(ranks[place][0], 9), round(ranks[place][1], 5)))
    return best, ranks


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_choice_is_that_of_a_search_and_the_result_that_of_the_chosen_alone(make_trial, make_evaluator, name, seed):
    settings, tune = GRIDS[name]
    trial = make_trial(noise=2.0, train=range(40), val=range(2, 25), seed=seed)

    found = make_evaluator(name, **settings, tune=tune).evaluate(trial)

    best, ranks = search(make_evaluator, trial, name, settings, tune)
    told = found.choices["tuning"]
    assert (told["by"], told["candidate"]) == ("accuracy", best)
    assert [row["accuracy"] for row in told["candidates"]] == pytest.approx([rank[0] for rank in ranks])
    assert [-row["loss"] for row in told["candidates"]] == pytest.approx([rank[1] for rank in ranks], rel=1e-3)
    chosen = combinations(tune)[best]
    alone = make_evaluator(name, **settings, **chosen).evaluate(trial)
    same(found, alone)
    assert {key: value for key, value in told["values"].items() if key != "optimizer"} == {
        key: value for key, value in chosen.items() if key != "optimizer"
    }
    assert [sorted(row["values"]) for row in told["candidates"]] == [sorted(tune)] * len(ranks)


@pytest.mark.parametrize("name", GRIDS)
def test_nothing_of_the_test_split_can_change_the_choice(make_trial, make_evaluator, name):
    """Test labels are poisoned so that they would favour another candidate; images and features are exchanged."""
    settings, tune = GRIDS[name]
    evaluator = make_evaluator(name, **settings, tune=tune)
    trial = make_trial(noise=2.0, train=range(40), val=range(25))
    clean = evaluator.evaluate(trial)
    test = trial.splits["test"]
    rolled = Split(test.images, (test.labels + 1) % 3)
    other = make_trial(noise=0.1, data_seed=5)

    poisoned = evaluator.evaluate(replace(trial, splits={**trial.splits, "test": rolled}))
    swapped = evaluator.evaluate(
        replace(
            trial,
            splits={**trial.splits, "test": other.splits["test"]},
            features={**trial.features, "test": other.features["test"]},
        )
    )

    same(poisoned, clean)
    assert poisoned.choices == clean.choices == swapped.choices
    assert not np.array_equal(swapped.scores, clean.scores)


def test_a_candidate_is_given_nothing_of_the_test_split(make_trial):
    trial = make_trial(val=range(3, 20))

    judged = judged_on_validation(trial)

    wanted = trial.splits["val"]
    assert np.array_equal(judged.splits["test"].images, wanted.images[3:20])
    assert np.array_equal(judged.splits["test"].labels, wanted.labels[3:20])
    assert torch.equal(judged.features["test"], trial.features["val"][3:20])
    assert judged.info.counts == {"train": 60, "val": 30, "test": 17}
    for name in ("train", "val"):
        assert judged.splits[name] is trial.splits[name]


def test_labels_outside_the_validation_budget_decide_nothing(make_trial, make_evaluator):
    settings, tune = GRIDS["linear_probe"]
    kept, spoiled = make_trial(noise=2.0, val=range(10)), make_trial(noise=2.0, val=range(10))
    spoiled.splits["val"].labels[10:] = 0

    first, second = (make_evaluator("linear_probe", **settings, tune=tune).evaluate(each) for each in (kept, spoiled))

    assert first.choices == second.choices


def test_it_chooses_by_the_metric_of_the_comparison(make_trial, make_evaluator):
    settings, tune = GRIDS["linear_probe"]
    evaluator = make_evaluator("linear_probe", **settings, tune=tune)
    trials = [make_trial(noise=2.5, val=range(13), seed=seed) for seed in range(4)]

    for criterion, better in ((built_in("auroc"), max), (brier(), min), (built_in("loss"), min)):
        for trial in trials:
            told = evaluator.evaluate(replace(trial, criterion=criterion)).choices["tuning"]
            values = [row[criterion.name] for row in told["candidates"]]
            assert told["by"] == criterion.name
            assert values[told["candidate"]] == better(values)


def test_several_labels_an_image_are_chosen_by_auroc(make_trial, make_evaluator):
    settings, tune = GRIDS["linear_probe"]

    found = make_evaluator("linear_probe", **settings, tune=tune).evaluate(make_trial(Task.MULTI_LABEL, noise=1.5))

    assert found.choices["tuning"]["by"] == "auroc"


def test_each_of_several_cells_has_a_choice_of_its_own(make_trial, make_evaluator):
    settings, tune = GRIDS["linear_probe"]
    evaluator = make_evaluator("linear_probe", **settings, tune=tune)
    first = make_trial(noise=2.5, val=range(13))
    trials = [replace(first, seed=seed, train=np.arange(seed, 45)) for seed in range(5)]
    assert evaluator.judges_together

    together = evaluator.evaluate_together(trials)

    for trial, found in zip(trials, together, strict=True):
        alone = evaluator.evaluate(trial)
        same(found, alone)
        assert found.choices == alone.choices
    assert len({found.choices["tuning"]["candidate"] for found in together}) > 1


@pytest.mark.parametrize("place", [0, 3, 7, 10, 14])
def test_one_that_is_interrupted_anywhere_ends_to_the_bit_as_one_that_is_not(make_trial, make_evaluator, place):
    """Six steps of each of two candidates, and of the chosen one; nothing is saved after the last of six."""
    trial = make_trial(noise=3.0, val=range(12), train=range(20))
    tune = {"lr": [0.3, 0.01]}
    evaluator = make_evaluator("finetune", epochs=2, batch_size=8, validate_every=1, tune=tune)
    whole, interrupting = evaluator.evaluate(trial), Interrupting(place)

    with pytest.raises(Stopped):
        evaluator.evaluate(replace(trial, checkpoints=interrupting))
    found = evaluator.evaluate(replace(trial, checkpoints=interrupting))

    same(found, whole)
    assert (found.choices, found.history, found.images_seen) == (whole.choices, whole.history, whole.images_seen)


def test_what_was_trained_is_counted(make_trial, make_evaluator):
    trial = make_trial(train=range(20))
    evaluator = make_evaluator("finetune", batch_size=8, validate_every=1, tune={"epochs": [1, 3]}, lr=0.01)

    found = evaluator.evaluate(trial)

    chosen = found.choices["tuning"]["values"]["epochs"]
    assert found.images_seen == 20 * (1 + 3 + chosen)
    assert evaluator.images_seen(20) == 20 * (1 + 3 + 3), "a plan does not know which is chosen"
    reported = []
    evaluator.evaluate(replace(trial, report=lambda index, total, _metrics: reported.append((index, total))))
    assert all(0 <= index < total for index, total in reported)


def test_what_a_plan_needs_to_know(make_evaluator):
    probe = make_evaluator("linear_probe", tune={"lr": [0.1, 1.0]})
    tuned = make_evaluator("finetune", tune={"lr": [0.1, 1.0]})
    neighbours = make_evaluator("knn", tune={"k": [1, 2]})

    assert (probe.needs, probe.trains_encoder, probe.judges_together) == ("features", False, True)
    assert (tuned.needs, tuned.trains_encoder, tuned.judges_together) == ("encoder", True, False)
    assert probe.measures.keys() == {"loss_gap"}
    assert not neighbours.uses_seed
    assert neighbours.chooses_epoch, "it chooses by validation labels, and so its key has their draw"
    assert {each.needs_validation for each in (probe, tuned, neighbours)} == {"tune"}
    assert tuned.passes(50).epochs == 3 * 500


@pytest.mark.parametrize("given", [{"val": []}, {"selection": "last"}, {"selection": "test"}])
def test_without_validation_labels_it_does_not_choose(make_trial, make_evaluator, given):
    with pytest.raises(StageError, match="tune needs labelled validation images to choose by; leave it out"):
        make_evaluator("knn", tune={"k": [1, 2]}).evaluate(make_trial(**given))


def test_a_candidate_that_has_diverged_is_not_chosen(make_trial):
    trial = make_trial()

    class Given(Evaluator):
        def __init__(self, scores):
            self.scores = scores

        def evaluate(self, trial):
            return Evaluation(np.full((len(trial.splits["test"]), 3), self.scores, dtype=np.float32))

    found = Tuned([Given(np.nan), Given(1 / 3)], [{"x": 1}, {"x": 2}]).evaluate(trial)
    assert [row["accuracy"] for row in found.choices["tuning"]["candidates"]] == [None, pytest.approx(1 / 3)]
    assert found.choices["tuning"]["values"] == {"x": 2}
    with pytest.raises(StageError, match=r"no candidate can be chosen by 'accuracy'.*validation_labels"):
        Tuned([Given(np.nan)] * 2, [{"x": 1}, {"x": 2}]).evaluate(trial)


def test_draws_from_global_generators_are_those_of_the_chosen_alone(make_trial):
    class Drawing(Evaluator):
        def __init__(self, shift):
            self.shift = shift

        def evaluate(self, trial):
            scores = torch.rand(len(trial.splits["test"]), 3).numpy() + random.random() + self.shift
            return Evaluation(scores.astype(np.float32))

    trial = make_trial()
    found = Tuned([Drawing(0), Drawing(1)], [{"shift": 0}, {"shift": 1}]).evaluate(trial)

    with forked(stream("evaluate", seed=0)):
        alone = Drawing(found.choices["tuning"]["values"]["shift"]).evaluate(trial)
    assert np.array_equal(found.scores, alone.scores)
