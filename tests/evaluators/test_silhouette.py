"""The silhouette against scikit-learn on components from a full decomposition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_samples

from medssl_bench.datasets import DatasetInfo, Task
from medssl_bench.errors import StageError
from medssl_bench.randomness import generator


def reference(trial, components, points):
    """Return coefficient and explained variance from NumPy's singular values and scikit-learn's samples."""
    train, test = (trial.features[split].double().numpy() for split in ("train", "test"))
    centre = train.mean(axis=0)
    _, singular, axes = np.linalg.svd(train - centre, full_matrices=False)
    projected = (test[points] - centre) @ axes[:components].T
    labels = trial.splits["test"].labels[points, 0]
    return silhouette_samples(projected, labels).mean(), (singular[:components] ** 2).sum() / (singular**2).sum()


@pytest.mark.parametrize("components", [1, 2, 5])
@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_it_is_scikit_learns_on_the_components_of_the_training_features(make_trial, make_evaluator, components, noise):
    trial = make_trial(noise=noise)

    found = make_evaluator("silhouette", components=[components]).evaluate(trial).metrics

    silhouette, variance = reference(trial, components, np.arange(45))
    assert found[f"silhouette_{components}"] == pytest.approx(silhouette, abs=1e-4)
    assert found[f"explained_variance_{components}"] == pytest.approx(variance, abs=1e-4)


def test_more_features_than_training_images_are_decomposed_exactly(make_trial, make_evaluator):
    trial = make_trial(noise=0.5)
    numbers = torch.Generator().manual_seed(0)
    for split in trial.features:
        wide = torch.randn(len(trial.features[split]), 200, generator=numbers)
        trial.features[split] = torch.cat([trial.features[split] * 5, wide], dim=1)

    found = make_evaluator("silhouette", components=[3]).evaluate(trial).metrics

    silhouette, variance = reference(trial, 3, np.arange(45))
    assert found["silhouette_3"] == pytest.approx(silhouette, abs=1e-4)
    assert found["explained_variance_3"] == pytest.approx(variance, abs=1e-4)


def test_it_agrees_with_scikit_learns_pca_with_full_svd(make_trial, make_evaluator):
    trial = make_trial(noise=0.7)

    found = make_evaluator("silhouette", components=[2, 4]).evaluate(trial).metrics

    for number in (2, 4):
        pca = PCA(number, svd_solver="full").fit(trial.features["train"].numpy())
        points = pca.transform(trial.features["test"].numpy())
        expected = silhouette_samples(points, trial.splits["test"].labels[:, 0]).mean()
        assert found[f"silhouette_{number}"] == pytest.approx(expected, abs=1e-4)
        assert found[f"explained_variance_{number}"] == pytest.approx(pca.explained_variance_ratio_.sum(), abs=1e-4)


def test_points_are_drawn_from_the_test_images_the_same_for_every_seed(make_trial, make_evaluator):
    evaluator = make_evaluator("silhouette", components=[2], points=20)
    drawn = generator("embedding points", seed=0).permutation(45)[:20]

    first, second = (evaluator.evaluate(make_trial(seed=seed)).metrics for seed in (0, 1))

    assert first == second
    assert first["silhouette_2"] == pytest.approx(reference(make_trial(), 2, drawn)[0], abs=1e-4)
    assert first["silhouette_2"] != pytest.approx(reference(make_trial(), 2, np.arange(45))[0], abs=1e-4)


def test_more_components_than_features_are_all_of_them(make_trial, make_evaluator):
    found = make_evaluator("silhouette", components=[50]).evaluate(make_trial()).metrics

    assert found["explained_variance_50"] == pytest.approx(1.0, abs=1e-5)
    assert found["silhouette_50"] == pytest.approx(reference(make_trial(), 8, np.arange(45))[0], abs=1e-4)


def test_classes_that_are_apart_have_a_high_coefficient(make_trial, make_evaluator):
    evaluator = make_evaluator("silhouette", components=[2])
    apart, mixed = make_trial(noise=0.05), make_trial(noise=0.05)
    for split in apart.features:
        apart.features[split][:, 3:] *= 0.01
        mixed.features[split][:, :3] = 0.0

    assert evaluator.evaluate(apart).metrics["silhouette_2"] > 0.8
    assert evaluator.evaluate(mixed).metrics["silhouette_2"] < 0.1


def test_it_is_an_analysis_and_refuses_multi_label_sets(make_evaluator):
    evaluator = make_evaluator("silhouette")
    counts = {"train": 1, "val": 1, "test": 1}

    assert evaluator.analysis
    assert "no one class" in evaluator.refuses(DatasetInfo("x", Task.MULTI_LABEL, ("a",), 3, 8, counts))
    assert evaluator.refuses(DatasetInfo("x", Task.ORDINAL, ("a", "b"), 3, 8, counts)) == ""


def test_features_that_vary_little_around_a_large_mean(make_trial, make_evaluator):
    trial = make_trial(noise=0.5)
    for split in trial.features:
        trial.features[split] = trial.features[split] + 3000

    found = make_evaluator("silhouette", components=[2]).evaluate(trial).metrics

    silhouette, variance = reference(trial, 2, np.arange(45))
    assert found["silhouette_2"] == pytest.approx(silhouette, abs=1e-6)
    assert found["explained_variance_2"] == pytest.approx(variance, abs=1e-6)


def test_images_that_cannot_be_told_into_clusters_are_refused_in_words(make_trial, make_evaluator):
    trial = make_trial()
    trial.splits["test"].labels[:] = 0

    with pytest.raises(StageError, match="needs 2 classes, and more images than classes: 1 in 45"):
        make_evaluator("silhouette").evaluate(trial)
