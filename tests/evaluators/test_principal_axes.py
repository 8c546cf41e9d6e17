"""Principal axes: those of scikit-learn, and layers that mean the same on features and on coordinates."""

from __future__ import annotations

import pytest
import torch
from sklearn.decomposition import PCA

from medssl_bench.evaluators.principal_axes import PrincipalAxes


def drawn(images, size):
    generator = torch.Generator().manual_seed(images)
    scale = torch.linspace(1, 5, size, dtype=torch.float64)
    return 3 + scale * torch.randn(images, size, generator=generator, dtype=torch.float64)


def even(images):
    return torch.full((images,), 1 / images, dtype=torch.float64)


@pytest.mark.parametrize(("images", "size"), [(40, 6), (5, 6), (6, 6)])
def test_axes_are_scikit_learns(images, size):
    features = drawn(images, size)
    axes = PrincipalAxes.of(features, even(images))
    fitted = PCA(svd_solver="full").fit(features.numpy())
    count = min(images - 1, size)
    variances = torch.from_numpy(fitted.explained_variance_) * (images - 1) / images
    torch.testing.assert_close(axes.variances.flip(0), variances[:count])
    cosines = torch.from_numpy(fitted.components_)[:count] @ axes.axes.flip(1)
    torch.testing.assert_close(cosines.abs(), torch.eye(count, dtype=torch.float64), rtol=0, atol=1e-7)


def test_a_row_that_counts_twice_is_two_rows():
    features = drawn(20, 4)
    counts = torch.ones(20, dtype=torch.float64)
    counts[:5] = 2
    found = PrincipalAxes.of(features, counts / 25)
    wanted = PrincipalAxes.of(torch.cat([features, features[:5]]), even(25))
    torch.testing.assert_close(found.middle, wanted.middle)
    torch.testing.assert_close(found.variances, wanted.variances)


@pytest.mark.parametrize(("images", "size"), [(40, 6), (5, 6)])
def test_turned_axes_span_the_same_and_are_those_of_the_other_shares(images, size):
    features = drawn(images, size)
    first = PrincipalAxes.of(features, even(images))
    shares = torch.linspace(1, 4, images, dtype=torch.float64)
    shares = shares / shares.sum()
    turned = first.turned(first.coordinates(features), shares)
    direct = PrincipalAxes.of(features, shares)
    torch.testing.assert_close(turned.variances, direct.variances)
    torch.testing.assert_close(turned.middle, direct.middle)
    torch.testing.assert_close(turned.axes @ turned.axes.T, first.axes @ first.axes.T)


def test_rows_that_are_all_alike_have_no_axes():
    features = torch.full((5, 3), 2.0, dtype=torch.float64)
    axes = PrincipalAxes.of(features, even(5))
    assert axes.axes.shape == (3, 0)
    assert axes.turned(axes.coordinates(features), even(5)) is axes
    torch.testing.assert_close(axes.coordinates(features), torch.ones(5, 1, dtype=torch.float64))


def test_a_layer_is_the_same_inside_and_outside():
    features = drawn(40, 6)
    axes = PrincipalAxes.of(features, even(40))
    weight, bias = drawn(3, 6), drawn(3, 1)[:, 0]
    points = axes.inside(weight, bias)
    torch.testing.assert_close(axes.coordinates(features) @ points.T, features @ weight.T + bias)
    torch.testing.assert_close(points[:, :-1].norm(), weight.norm())  # so a penalty is the same
    again = axes.outside(points)
    torch.testing.assert_close(again[0], weight)
    torch.testing.assert_close(again[1], bias)
