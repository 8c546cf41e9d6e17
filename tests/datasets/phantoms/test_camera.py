from __future__ import annotations

import numpy as np
import pytest

from medssl_bench.datasets.phantoms.camera import Camera, draw_camera
from medssl_bench.datasets.phantoms.canvas import Canvas
from medssl_bench.datasets.phantoms.random_rows import Draws


def camera(**values):
    fields = ("blur", "slope_x", "slope_y", "vignette", "noise")
    return Camera(**{field: np.float32([values.get(field, 0)]) for field in fields})


def test_light_slopes_along_x_and_y():
    canvas = Canvas.of(4, np.zeros(1, np.float32))
    light = camera(slope_x=0.2, slope_y=-0.1).light(canvas)[0]

    assert light[0, 0] == pytest.approx(1 - 0.2 * 0.75 + 0.1 * 0.75)
    assert light[0, 3] == pytest.approx(1 + 0.2 * 0.75 + 0.1 * 0.75)
    assert light.mean() == pytest.approx(1)


def test_a_vignette_darkens_the_corners():
    light = camera(vignette=0.1).light(Canvas.of(5, np.zeros(1, np.float32)))[0]

    assert light[2, 2] == pytest.approx(1)
    assert light[0, 0] == pytest.approx(1 - 0.1 * 2 * 0.8**2)


def test_exposure_rounds_and_clips():
    image = np.float32([[[-1, 0, 0.5, 1, 2]]])
    exposed = camera().expose(image, np.random.default_rng(0))

    assert exposed.dtype == np.uint8
    assert exposed.tolist() == [[[0, 0, 128, 255, 255]]]


def test_noise_has_its_deviation():
    image = np.full((1, 100, 100), 0.5, np.float32)
    exposed = camera(noise=0.05).expose(image, np.random.default_rng(0))

    assert exposed.std() / 255 == pytest.approx(0.05, rel=0.05)


def test_drawn_cameras_keep_to_their_limits():
    drawn = draw_camera(Draws(np.random.default_rng(0), 500), blur=0.1, light=0.2, noise=0.04)

    assert 0.09 < drawn.blur.max() <= 0.1
    assert 0.03 < drawn.noise.max() <= 0.04
    assert 0.15 < np.hypot(drawn.slope_x, drawn.slope_y).max() <= 0.2
