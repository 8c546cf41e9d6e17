"""Frequency bands: scipy's Gaussians, the identity, and the energies that a reference asks for."""

import numpy as np
import pytest
import torch
from medssl_bench_methods.ops.energy_bands import EnergyBands, bands, energies
from scipy.ndimage import gaussian_filter

SIGMAS = (1.0, 2.0, 4.0)


def images(count=3, channels=3, side=28):
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(0)) * 0.6 + 0.2


def uniforms(op, count=3):
    return torch.rand(count, 1 + op.draws(3, 28, 28), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("shape", [(3, 28, 28), (1, 20, 33)])
def test_bands_are_differences_of_scipys_gaussians(shape):
    given = torch.rand(2, *shape, generator=torch.Generator().manual_seed(0))
    split, smooth = bands(given, SIGMAS)
    plane = given[1, 0].double().numpy()
    blurs = [plane, *(gaussian_filter(plane, sigma, mode="mirror") for sigma in SIGMAS)]
    for band, finer, coarser in zip(split, blurs[:-1], blurs[1:], strict=True):
        np.testing.assert_allclose(band[1, 0].numpy(), finer - coarser, atol=1e-5)
    np.testing.assert_allclose(smooth[1, 0].numpy(), blurs[-1], atol=1e-5)
    torch.testing.assert_close(split.sum(dim=0) + smooth, given)


def test_energies_are_deviations_over_an_image():
    split, _ = bands(images(), SIGMAS)
    expected = [[float(np.std(split[band, image].double().numpy())) for band in range(3)] for image in range(3)]
    np.testing.assert_allclose(energies(split).numpy(), expected, rtol=1e-5)


def test_no_strength_is_the_identity():
    op = EnergyBands(SIGMAS, 0.0)
    torch.testing.assert_close(op(images(), uniforms(op)), images())


def test_a_factor_multiplies_its_band():
    op = EnergyBands(SIGMAS, 0.5)
    drawn = uniforms(op)
    split, smooth = bands(images(), SIGMAS)
    factors = (drawn[:, 1:] - 0.5).exp()
    expected = smooth + sum(factors[:, band, None, None, None] * split[band] for band in range(3))
    torch.testing.assert_close(op(images(), drawn), expected.clamp(0, 1))
    assert not torch.allclose(op(images(), drawn), images(), atol=0.01)


def test_a_reference_takes_the_contrast_away():
    """Images that differ by their contrast alone differ by what is smoother than the bands alone."""
    op = EnergyBands(SIGMAS, 0.0, reference=[0.05, 0.02, 0.01])
    plain, flat = images(), 0.5 + 0.4 * (images() - 0.5)
    (_, smooth), (_, flat_smooth) = bands(plain, SIGMAS), bands(flat, SIGMAS)
    detail, flat_detail = op(plain, uniforms(op)) - smooth, op(flat, uniforms(op)) - flat_smooth
    torch.testing.assert_close(detail, flat_detail, atol=1e-5, rtol=1e-4)


def test_bands_get_the_energy_of_the_reference():
    given = images()
    split, smooth = bands(given, SIGMAS)
    wanted = torch.tensor([0.05, 0.02, 0.01])
    op = EnergyBands(SIGMAS, 0.0, reference=wanted.tolist())
    expected = smooth + (split * (wanted / energies(split)).T[:, :, None, None, None]).sum(dim=0)
    torch.testing.assert_close(op(given, uniforms(op)), expected)
    torch.testing.assert_close(energies(split * (wanted / energies(split)).T[:, :, None, None, None])[0], wanted)


def test_an_even_image_stays():
    op = EnergyBands(SIGMAS, 0.5, reference=[0.2, 0.2, 0.2])
    even = torch.full((3, 3, 28, 28), 0.3)
    torch.testing.assert_close(op(even, uniforms(op)), even, atol=1e-3, rtol=0)
