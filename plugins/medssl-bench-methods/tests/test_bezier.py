"""The Bezier mapping: SciPy's Bernstein polynomials, the authors' way to evaluate it, and that it never turns."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from medssl_bench_methods.ops.curves import Bezier, bezier_table
from scipy.interpolate import BPoly

IN_UNIT = st.floats(0, 1, width=32)
LEVELS = np.linspace(0, 1, 256)


def scipys(points, count=100_001):
    """Return many points of the curve."""
    (x1, y1, x2, y2), t = np.float64(points), np.linspace(0, 1, count)
    across = BPoly(np.array([[0], [x1], [x2], [1]]), [0, 1])(t)
    return across, BPoly(np.array([[0], [y1], [y2], [1]]), [0, 1])(t)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_scipys_curve_at_every_level(seed):
    points = np.random.default_rng(seed).random(4)
    ours = bezier_table(torch.tensor(points, dtype=torch.float32)[None])[0]
    np.testing.assert_allclose(ours, np.interp(LEVELS, *scipys(points)), atol=1e-3)


@given(st.tuples(IN_UNIT, IN_UNIT, IN_UNIT, IN_UNIT))
def test_it_never_falls_and_keeps_black_and_white(points):
    table = bezier_table(torch.tensor([points]))[0]
    assert (table.diff() >= -1e-6).all()
    assert table[0] == pytest.approx(0, abs=5e-3)  # an upright beginning ends within a 1024th of the curve
    assert table[-1] == pytest.approx(1, abs=5e-3)


def test_points_on_the_diagonal_change_nothing():
    images = torch.rand(4, 3, 9, 9)
    uniforms = torch.tensor([0.9, 1 / 3, 1 / 3, 2 / 3, 2 / 3]).expand(4, -1)
    torch.testing.assert_close(Bezier().transform(images, uniforms), images, atol=1e-5, rtol=0)


def test_an_inverted_one_maps_the_negative():
    images, uniforms = torch.rand(4, 3, 9, 9), torch.rand(4, 5)
    plain = Bezier(0.0).transform(1 - images, uniforms)
    torch.testing.assert_close(Bezier(1.0).transform(images, uniforms), plain, atol=1e-5, rtol=0)


def test_it_maps_images_as_the_authors_interpolation():
    numbers = np.random.default_rng(0)
    images, uniforms = numbers.integers(0, 256, (6, 3, 8, 8)), numbers.random((6, 5))
    levels = torch.tensor(images / 255, dtype=torch.float32)

    found = Bezier(0.5).transform(levels, torch.tensor(uniforms, dtype=torch.float32))

    for image, (falls, *points), ours in zip(images / 255, uniforms, found, strict=True):
        across, upward = scipys(points)
        theirs = np.interp(image, across, upward[::-1] if falls < 0.5 else upward) if falls >= 0.5 else None
        if theirs is None:  # the authors sort x alone: heights fall from 1
            theirs = np.interp(image, np.sort(1 - across), upward[::-1])
        np.testing.assert_allclose(ours, theirs, atol=1e-3)
