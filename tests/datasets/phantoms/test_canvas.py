from __future__ import annotations

import numpy as np
import pytest

from medssl_bench.datasets.phantoms.canvas import Canvas


def zeros(count=1):
    return np.zeros(count, np.float32)


def test_pixel_centres_fill_the_frame():
    canvas = Canvas.of(4, zeros())

    np.testing.assert_allclose(canvas.x, [-0.75, -0.25, 0.25, 0.75])


@pytest.mark.parametrize("size", [14, 28, 65])
def test_a_disc_covers_its_area_at_every_size(size):
    canvas = Canvas.of(size, zeros())
    covered = canvas.inside(canvas.distance(np.float32([0.13]), np.float32([-0.2])) - np.float32(0.6))

    assert covered.mean() * 4 == pytest.approx(np.pi * 0.6**2, rel=0.01)


def test_columns_are_x_and_rows_are_y():
    canvas = Canvas.of(9, zeros())
    distance = canvas.distance(np.float32([0.5]), np.float32([-0.25]))[0]
    row, column = np.unravel_index(distance.argmin(), distance.shape)

    assert (canvas.x[column], canvas.x[row]) == pytest.approx((4 / 9, -2 / 9))


def test_blur_widens_an_edge_and_keeps_its_place():
    canvas = Canvas.of(64, np.float32([0.0, 0.5]))
    sharp, soft = canvas.inside(np.broadcast_to(canvas.x, (2, 64, 64)))[:, 0, :]

    assert np.count_nonzero((sharp > 0) & (sharp < 1)) <= 2
    assert np.count_nonzero((soft > 0) & (soft < 1)) == pytest.approx(0.5 / (2 / 64), abs=1)
    assert sharp.mean() == pytest.approx(0.5, abs=1e-3)
    assert soft.mean() == pytest.approx(0.5, abs=1e-3)
