"""k-means: scikit-learn's from the same start, its mutual information, and clusters that stay filled."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from medssl_bench_methods.clustering.kmeans import agreement_of, kmeans, nearest
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score


def blobs(count, length, clusters, seed=0):
    numbers = torch.Generator().manual_seed(seed)
    middles = 3 * torch.randn(clusters, length, generator=numbers)
    return middles[torch.arange(count) % clusters] + torch.randn(count, length, generator=numbers)


@pytest.mark.parametrize(("count", "length", "clusters"), [(60, 3, 4), (200, 8, 7), (90, 16, 2)])
@pytest.mark.parametrize("iterations", [1, 3, 10])
def test_it_is_scikit_learns_from_the_same_start(count, length, clusters, iterations):
    points = blobs(count, length, clusters)
    start = points[:clusters]
    theirs = KMeans(clusters, init=start.numpy(), n_init=1, max_iter=iterations, tol=0, algorithm="lloyd")
    try:
        theirs.fit(points.numpy())
    except Warning:  # of sklearn, that it has not converged
        pytest.skip("scikit-learn stopped")

    centers, assigned = kmeans(points, clusters, iterations=iterations, start=start)

    np.testing.assert_array_equal(assigned.numpy(), theirs.labels_)
    np.testing.assert_allclose(centers.numpy(), theirs.cluster_centers_, rtol=1e-4, atol=1e-4)


def test_starts_of_its_own_find_clear_clusters():
    torch.manual_seed(0)
    points = 10 * torch.eye(5)[torch.arange(50) % 5] + 0.1 * torch.randn(50, 5)
    _, assigned = kmeans(points, 5)
    assert len({(int(a), place % 5) for place, a in enumerate(assigned)}) == 5


def test_spherical_centres_are_unit_means_and_the_nearest_has_the_largest_cosine():
    points = torch.nn.functional.normalize(blobs(80, 6, 5), dim=1)
    centers, assigned = kmeans(points, 5, spherical=True, iterations=30)
    assert torch.equal(assigned, (points @ centers.T).argmax(dim=1))
    means = torch.stack([points[assigned == cluster].mean(dim=0) for cluster in range(5)])
    torch.testing.assert_close(centers, torch.nn.functional.normalize(means, dim=1), rtol=1e-4, atol=1e-4)


@given(st.integers(2, 12), st.integers(0, 30), st.booleans())
def test_no_cluster_is_empty(clusters, more, equal):
    """Not even where all points are the same."""
    torch.manual_seed(clusters)
    points = torch.ones(clusters + more, 3) if equal else torch.randn(clusters + more, 3)
    centers, assigned = kmeans(points, clusters)
    assert set(assigned.tolist()) == set(range(clusters))
    assert centers.isfinite().all()


def test_the_nearest_is_that_of_the_distance():
    points, centers = torch.randn(30, 4), torch.randn(6, 4)
    assert torch.equal(nearest(points, centers), torch.cdist(points, centers).argmin(dim=1))


@pytest.mark.parametrize("seed", range(4))
def test_agreement_is_scikit_learns_mutual_information(seed):
    numbers = torch.Generator().manual_seed(seed)
    first, second = (torch.randint(5, (60,), generator=numbers) for _ in range(2))
    second = torch.where(torch.rand(60, generator=numbers) < 0.2 * seed, first, second)
    expected = normalized_mutual_info_score(first.numpy(), second.numpy())
    assert agreement_of(first, second, 5) == pytest.approx(expected, abs=1e-5)
    assert agreement_of(first, torch.randperm(5)[first], 5) == pytest.approx(1, abs=1e-5)
