"""Descriptors are what they say, by SciPy, and turns are changes of signs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.fft import idctn
from scipy.ndimage import gaussian_filter

from medssl_bench.datasets.audit.descriptors import POSITIONS, band, plain, plain_difference, turned_products
from medssl_bench.datasets.turns import turned


def images(size, channels=3, count=5):
    shape = (count, size, size, channels) if channels == 3 else (count, size, size)
    return np.random.default_rng(size).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(("size", "channels"), [(28, 1), (28, 3), (64, 3), (16, 1)])
def test_the_band_is_a_difference_of_gaussians(size, channels):
    drawn = images(size, channels)
    found, spread = band(drawn)
    for image, coefficients, deviation in zip(drawn, found, spread, strict=True):
        grey = image.astype(np.float32) if channels == 1 else image.mean(axis=2, dtype=np.float32)
        side = min(size, 28)
        small = _area_average(grey, side) if size > side else grey
        wanted = (gaussian_filter(small, 0.7, mode="reflect") - gaussian_filter(small, 2.5, mode="reflect"))[2:-2, 2:-2]
        assert deviation == pytest.approx(np.sqrt(np.square(wanted).mean()), rel=1e-3)
        np.testing.assert_allclose(idctn(coefficients, norm="ortho"), wanted / np.linalg.norm(wanted), atol=2e-4)


def _area_average(image, side):
    """Average areas by way of an image so large that its pixels fit into both."""
    large = np.kron(image, np.ones((side, side)))
    step = len(large) // side
    return large.reshape(side, step, side, step).mean(axis=(1, 3))


@pytest.mark.parametrize(("describe", "size"), [(lambda x: band(x)[0], 28), (lambda x: band(x)[0], 64), (plain, 28)])
def test_products_are_those_of_the_turned_image(describe, size):
    first, second = images(size)[:2]
    products = turned_products(describe(first[None]), describe(second[None]))[:, 0]
    for product, turn in zip(products, POSITIONS, strict=True):
        by_hand = (describe(first[None]) * describe(turned(second, turn)[None])).sum()
        assert product == pytest.approx(by_hand, rel=1e-3, abs=1e-4)


def test_the_difference_is_what_a_fit_leaves():
    first, second = images(14)[:2]  # not shrunk: the coefficients are of the image itself
    first = (first // 4 + 90).astype(np.uint8)  # the one with less contrast
    found = plain_difference(plain(first[None]), plain(second[None]), np.zeros(1, np.int64))[0]
    x = np.stack([second.ravel().astype(float), np.ones(second.size)], axis=1)
    _, (rest,), *_ = np.linalg.lstsq(x, first.ravel().astype(float), rcond=None)
    assert found == pytest.approx(np.sqrt(rest / first.size), rel=1e-3)


def test_an_image_without_structure_has_none():
    flat, spread = band(np.full((1, 28, 28), 100, np.uint8))
    assert spread[0] < 0.01
    assert not flat.any()
