"""What tests of trainings with labels share: evaluators, and cells of small images around a tiny encoder."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from method_builders import REGISTRY
from torch import nn

from medssl_bench.datasets import Task
from medssl_bench.randomness import forked
from medssl_bench.testing.tape import Tape
from medssl_bench.testing.trials import make_trial as contracts
from medssl_bench.training.recording import recorded_by
from medssl_bench.training.steps import NotRecorded


@pytest.fixture
def make_evaluator():
    """Make an evaluator as a stage does, from a suite's table."""

    def make(name, **parameters):
        return REGISTRY.build(REGISTRY.resolve("evaluator", {"name": name, **parameters}, Path()))

    return make


@pytest.fixture
def make_trial(make_evaluator):
    """Make a cell with 24 labelled of 36 training images; without normalisation, images do not see one another."""

    def make(*, normalized=True, task=Task.MULTI_CLASS, name="fixmatch", **changes):
        def encoder():
            with forked(0):
                norm = nn.BatchNorm2d(8) if normalized else nn.Identity()
                made = nn.Sequential(
                    nn.Conv2d(3, 8, 5, 3, bias=not normalized), norm, nn.ReLU(), nn.AvgPool2d(2), nn.Flatten()
                )
            made.dim = 128
            return made

        return replace(contracts(make_evaluator(name), task), encoder=encoder, **changes)

    return make


@pytest.fixture
def recorded():
    """Evaluate a cell with steps that are recorded once and played back; that they are not recorded is an error."""

    def evaluate(evaluator, trial):
        def recordable():
            encoder = trial.encoder()
            encoder.recordable = True
            return encoder

        with recorded_by(lambda _: Tape()), warnings.catch_warnings():
            warnings.simplefilter("error", NotRecorded)
            return evaluator.evaluate(replace(trial, encoder=recordable))

    return evaluate


@pytest.fixture
def assert_same():
    """Check that two evaluations are the same to the bit."""

    def check(first, second):
        np.testing.assert_array_equal(first.scores, second.scores)
        np.testing.assert_array_equal(first.last_scores, second.last_scores)
        assert (first.history, first.selected_epoch) == (second.history, second.selected_epoch)
        for part, weights in first.weights.items():
            assert all(torch.equal(second.weights[part][name], tensor) for name, tensor in weights.items())

    return check
