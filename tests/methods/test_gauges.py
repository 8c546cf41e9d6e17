"""The gauges: known values, scikit-learn's neighbours, and what a collapse shows."""

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import NearestNeighbors

from medssl_bench.methods.collapse import agreement, alignment, gauges, rank, spread


def test_spread_is_one_for_even_directions_and_nothing_for_one():
    assert spread(torch.randn(20_000, 8, generator=torch.Generator().manual_seed(0))) == pytest.approx(1, abs=0.01)
    assert spread(torch.ones(16, 8)) == pytest.approx(0, abs=1e-6)


def test_rank_counts_directions_that_are_used():
    assert rank(torch.eye(8)[:5]) == pytest.approx(5, rel=1e-4)
    assert rank(torch.ones(16, 8)) == pytest.approx(1, rel=1e-3)
    values = np.linalg.svd(np.random.default_rng(0).normal(size=(20, 6)), compute_uv=False)
    shares = values / values.sum()
    found = rank(torch.tensor(np.random.default_rng(0).normal(size=(20, 6))))
    assert found == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-4)


def test_agreement_is_scikit_learns_nearest_neighbour():
    first = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
    second = first + torch.randn(40, 4, generator=torch.Generator().manual_seed(1))
    nearest = NearestNeighbors(n_neighbors=1, metric="cosine").fit(second).kneighbors(first, return_distance=False)
    assert agreement(first, second) == pytest.approx((nearest[:, 0] == np.arange(40)).mean())


def test_alignment_is_the_squared_distance_on_the_sphere():
    first = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
    second = torch.randn(40, 4, generator=torch.Generator().manual_seed(1))
    cosines = np.diag(cosine_similarity(first, 3 * second))
    assert alignment(first, 3 * second) == pytest.approx(2 - 2 * cosines.mean(), rel=1e-5)
    assert alignment(first, -first) == pytest.approx(4)
    assert alignment(first, 2 * first) == pytest.approx(0, abs=1e-6)


def test_what_collapsed_agrees_with_nothing():
    assert agreement(torch.ones(16, 8), torch.ones(16, 8)) == 0


def test_rank_is_measured_on_validation_images_only():
    images = torch.randn(6, 4)
    assert set(gauges(images, images, training=True)) == {"spread", "agreement"}
    assert set(gauges(images, training=False)) == {"spread", "rank"}
    assert set(gauges(images, images, training=False)) == {"spread", "agreement", "rank", "alignment"}
