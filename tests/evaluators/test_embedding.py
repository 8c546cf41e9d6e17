"""Maps of features against scikit-learn, and what a report needs beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from medssl_bench.datasets import DatasetInfo, Split, Task
from medssl_bench.evaluators.components import PERPLEXITIES
from medssl_bench.randomness import generator


def test_principal_components_are_scikit_learns_fitted_on_the_training_features(make_trial, make_evaluator):
    trial = make_trial(noise=0.7)
    found = make_evaluator("embedding", perplexities=[5]).evaluate(trial).arrays
    train, test = (trial.features[split].double().numpy() for split in ("train", "test"))
    expected = PCA(2, svd_solver="full").fit(train).transform(test[found["index"]])
    signs = np.sign((expected * found["pca"]).sum(axis=0))
    np.testing.assert_allclose(found["pca"] * signs, expected, atol=1e-4)


def test_tsne_is_scikit_learns_of_the_reduced_points(make_trial, make_evaluator):
    trial = make_trial(noise=0.7)
    result = make_evaluator("embedding", perplexities=[5, 10], components=4).evaluate(trial)
    train, test = (trial.features[split].double().numpy() for split in ("train", "test"))
    reduced = PCA(4, svd_solver="covariance_eigh").fit(train).transform(test[result.arrays["index"]])
    for perplexity in (5, 10):
        expected = TSNE(2, perplexity=perplexity, init="pca", random_state=0)
        np.testing.assert_allclose(result.arrays[f"tsne_{perplexity}"], expected.fit_transform(reduced), atol=1e-3)
        assert result.metrics[f"tsne_{perplexity}_divergence"] == pytest.approx(expected.kl_divergence_, rel=1e-4)


def test_it_shows_the_images_that_the_silhouette_is_of_with_their_labels(make_trial, make_evaluator):
    trial = make_trial()
    found = make_evaluator("embedding", points=20, perplexities=[3]).evaluate(trial).arrays
    np.testing.assert_array_equal(found["index"], generator("embedding points", seed=0).permutation(45)[:20])
    np.testing.assert_array_equal(found["labels"], trial.splits["test"].labels[found["index"], 0])
    np.testing.assert_array_equal(found["images"], trial.splits["test"].images[found["index"]])
    assert tuple(found["classes"]) == trial.info.classes
    assert str(found["licence"]) == trial.info.licence
    assert not [name for name, array in found.items() if array.dtype == object], "nothing that would be pickled"


def test_it_is_the_same_for_every_seed_and_every_run(make_trial, make_evaluator):
    first, again = (make_evaluator("embedding").evaluate(make_trial(seed=seed)).arrays for seed in (0, 1))
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name])


def test_of_one_encoder_the_maps_of_all_perplexities_are_kept_and_no_number_changes(make_trial, make_evaluator):
    trial = make_trial(noise=0.7)
    plain = make_evaluator("embedding", perplexities=[5]).evaluate(trial)
    found = make_evaluator("embedding", perplexities=[5]).evaluate(replace(trial, sweep=True))
    assert found.metrics == plain.metrics
    for name, array in plain.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)
    added = found.arrays.keys() - plain.arrays.keys()
    assert added == {f"sweep_{perplexity}" for perplexity in PERPLEXITIES}
    np.testing.assert_array_equal(found.arrays["sweep_5"], plain.arrays["tsne_5"])
    np.testing.assert_array_equal(found.arrays["sweep_20"], found.arrays["sweep_100"])  # 45 points allow 14.7


def test_few_points_take_a_smaller_perplexity(make_trial, make_evaluator):
    found = make_evaluator("embedding", points=5, perplexities=[100]).evaluate(make_trial()).arrays
    assert np.isfinite(found["tsne_100"]).all()
    assert found["tsne_100"].shape == (5, 2)


def test_features_of_one_dimension_have_a_map_too(make_trial, make_evaluator):
    trial = make_trial()
    for split in trial.features:
        trial.features[split] = trial.features[split][:, :1]
    found = make_evaluator("embedding", perplexities=[5]).evaluate(trial).arrays
    assert found["pca"].shape == (45, 2)
    assert not found["pca"][:, 1].any()


@pytest.mark.parametrize("channels", [1, 3])
def test_large_images_are_shown_small(make_trial, make_evaluator, channels):
    trial = make_trial()
    test = trial.splits["test"]
    shape = (45, 96, 64) if channels == 1 else (45, 96, 64, 3)
    trial.splits["test"] = Split(np.full(shape, 200, dtype=np.uint8), test.labels)
    found = make_evaluator("embedding", perplexities=[5]).evaluate(trial).arrays
    assert found["images"].shape[1:3] == (48, 32)
    assert (found["images"] == 200).all()


def test_it_is_an_analysis_and_refuses_multi_label_sets(make_evaluator):
    evaluator = make_evaluator("embedding")
    counts = {"train": 1, "val": 1, "test": 1}
    assert evaluator.analysis
    assert "no one class" in evaluator.refuses(DatasetInfo("x", Task.MULTI_LABEL, ("a",), 3, 8, counts))
    assert evaluator.refuses(DatasetInfo("x", Task.BINARY, ("a", "b"), 3, 8, counts)) == ""
