"""Balanced training against scikit-learn, and what balancing must leave alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from medssl_bench.datasets import DatasetInfo, Task
from medssl_bench.evaluators.balance import class_weights, oversampled, undersampled
from medssl_bench.evaluators.classification import loss
from medssl_bench.evaluators.minibatches import minibatches

SHORT = {"linear_probe": {"epochs": 25, "lr": 0.02}, "finetune": {"epochs": 6, "lr": 0.003}}
LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=60).map(np.array)


@given(LABELS)
def test_class_weights_are_scikit_learns(labels: np.ndarray) -> None:
    present = np.unique(labels)
    expected = compute_class_weight("balanced", classes=present, y=labels)
    found = class_weights(labels, 6)
    np.testing.assert_allclose(found[present], expected, rtol=1e-6)
    assert (np.delete(found, present) == 1).all()
    assert found[labels].sum() == pytest.approx(len(labels), rel=1e-5), "the mean weight of an image is 1"


@given(LABELS, st.integers(0, 2**32))
def test_an_oversampled_epoch_has_every_class_equally_often(labels: np.ndarray, seed: int) -> None:
    places = oversampled(labels, np.random.Generator(np.random.PCG64(seed)))
    assert len(places) == len(labels), "an epoch costs the same"
    counts = np.bincount(labels[places], minlength=5)[np.unique(labels)]
    assert counts.max() - counts.min() <= 1
    for label in np.unique(labels):
        times = np.bincount(places, minlength=len(labels))[labels == label]
        assert times.max() - times.min() <= 1, "no image comes again before all of its class have come"


@given(LABELS, st.integers(0, 2**32))
def test_an_undersampled_set_has_as_many_of_each_class_as_of_the_smallest(labels: np.ndarray, seed: int) -> None:
    places = undersampled(labels, np.random.Generator(np.random.PCG64(seed)))
    present, counts = np.unique(labels, return_counts=True)
    assert (np.diff(places) > 0).all(), "each image at most once"
    kept, numbers = np.unique(labels[places], return_counts=True)
    assert np.array_equal(kept, present)
    assert (numbers == counts.min()).all()


def test_the_draw_is_seeded() -> None:
    labels = np.array([0] * 20 + [1] * 3)
    first, again, other = (minibatches(23, 4, seed, labels) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_weighted_loss_is_the_weighted_mean() -> None:
    logits = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(50) % 3
    weights = torch.tensor([0.5, 1.0, 3.0])
    each = -torch.log_softmax(logits, dim=1)[torch.arange(50), labels]
    expected = (each * weights[labels]).sum() / weights[labels].sum()
    torch.testing.assert_close(loss(Task.MULTI_CLASS, logits, labels, weights), expected)


@pytest.mark.parametrize("name", ["linear_probe", "finetune"])
@pytest.mark.parametrize("balance", ["undersample", "oversample", "class_weights"])
def test_a_rare_class_is_found_more_often(make_trial, make_evaluator, name, balance):
    rare = np.concatenate([np.arange(0, 60, 3), np.arange(1, 60, 3), [2, 5]])  # two images of the third class
    trial = make_trial(noise=1.2, train=rare)
    plain, balanced = (
        make_evaluator(name, **SHORT[name], balance=how).evaluate(trial).last_scores for how in ("none", balance)
    )
    assert balanced[:, 2].mean() > plain[:, 2].mean() + 0.005


@pytest.mark.parametrize("name", ["linear_probe", "finetune"])
def test_images_of_several_labels_are_refused(make_evaluator, name):
    info = DatasetInfo("x", Task.MULTI_LABEL, ("a", "b"), 3, 8, {"train": 1, "val": 1, "test": 1})
    assert "one class an image" in make_evaluator(name, balance="oversample").refuses(info)
    assert make_evaluator(name).refuses(info) == ""


@pytest.mark.parametrize("name", ["linear_probe", "finetune"])
def test_without_balancing_a_component_is_what_it_was_before_it_could(name):
    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.manager import load_plugins

    registry = load_plugins().registry
    plain, balanced = (
        registry.resolve_or_raise("evaluator", {"name": name, **more}) for more in ({}, {"balance": "oversample"})
    )
    assert "balance" not in plain.identity()["parameters"]
    assert balanced.identity()["parameters"]["balance"] == "oversample"
    assert Component.from_data(plain.to_data()) == plain
    assert plain.parameters["balance"] == "none"
