"""What an evaluator is told of the cell that it judges."""

from __future__ import annotations

import numpy as np
import pytest


def test_validation_chooses_by_the_labelled_validation_images(make_trial):
    trial = make_trial(val=[3, 1, 7])

    choice = trial.choice()

    assert (choice.split, choice.places.tolist()) == ("val", [3, 1, 7])
    assert np.array_equal(choice.labels, trial.splits["val"].labels[[3, 1, 7]])


def test_test_chooses_by_the_whole_test_set(make_trial):
    trial = make_trial(selection="test", val=[])

    choice = trial.choice()

    assert (choice.split, choice.places.tolist()) == ("test", list(range(45)))
    assert np.array_equal(choice.labels, trial.splits["test"].labels)


@pytest.mark.parametrize("given", [{"selection": "last"}, {"selection": "validation", "val": []}])
def test_else_the_last_epoch_counts(make_trial, given):
    assert make_trial(**given).choice() is None


@pytest.mark.parametrize(
    ("epochs", "every", "expected"), [(10, 1, list(range(10))), (10, 4, [3, 7, 9]), (10, 5, [4, 9]), (3, 10, [2])]
)
def test_every_few_epochs_and_the_last_are_looked_at(make_trial, epochs, every, expected):
    trial = make_trial()

    assert [epoch for epoch in range(epochs) if trial.looks_at(epoch, epochs, every)] == expected


def test_streams_depend_on_purpose_and_seed(make_trial):
    first, other = make_trial(seed=0), make_trial(seed=1)

    assert first.stream("batches", epoch=1) == make_trial(seed=0, train=[1]).stream("batches", epoch=1)
    assert len({first.stream("a"), first.stream("b"), first.stream("a", epoch=0), other.stream("a")}) == 4
