from __future__ import annotations

import numpy as np
import pytest

from medssl_bench.datasets.phantoms.canvas import Canvas
from medssl_bench.datasets.phantoms.random_rows import Draws
from medssl_bench.datasets.phantoms.waves import draw_waves


@pytest.fixture
def draws():
    return Draws(np.random.default_rng(0), 50)


def test_a_texture_is_the_sum_of_its_plane_waves(draws):
    waves = draw_waves(draws, 5, 0.2, 0.9)
    canvas = Canvas.of(12, np.zeros(50, np.float32))
    y, x = np.meshgrid(canvas.x, canvas.x, indexing="ij")
    expected = np.zeros((50, 12, 12))
    for k in range(5):
        wavelength, angle, phase = (
            v[:, k, None, None].astype(float) for v in (waves.wavelength, waves.angle, waves.phase)
        )
        expected += np.cos(2 * np.pi / wavelength * (x * np.cos(angle) + y * np.sin(angle)) + phase)

    np.testing.assert_allclose(waves.over(canvas), expected * np.sqrt(2 / 5), atol=1e-4)


def test_mean_0_and_variance_1(draws):
    texture = draw_waves(draws, 10, 0.1, 0.3).over(Canvas.of(64, np.zeros(50, np.float32)))

    assert texture.mean() == pytest.approx(0, abs=0.02)
    assert texture.var() == pytest.approx(1, abs=0.05)


def test_large_pixels_average_a_texture_out(draws):
    waves = draw_waves(draws, 10, 0.2, 0.4)
    fine, coarse = (Canvas.of(size, np.zeros(50, np.float32)) for size in (160, 20))
    averaged = waves.over(fine).reshape(50, 20, 8, 20, 8).mean(axis=(2, 4))
    painted = waves.over(coarse, waves.fade(coarse))

    assert np.std(averaged - painted) < 0.1 * np.std(averaged)


def test_wavelengths_are_within_bounds_of_each_image(draws):
    longest = np.linspace(0.2, 0.9, 50, dtype=np.float32)
    wavelength = draw_waves(draws, 8, 0.1, longest).wavelength

    assert wavelength.shape == (50, 8)
    assert ((wavelength >= 0.1) & (wavelength <= longest[:, None])).all()


def test_a_line_is_the_middle_row_of_the_texture(draws):
    waves = draw_waves(draws, 5, 0.5, 1.6)
    canvas = Canvas.of(9, np.zeros(50, np.float32))

    np.testing.assert_allclose(waves.along(canvas), waves.over(canvas)[:, 4, :], atol=1e-5)
