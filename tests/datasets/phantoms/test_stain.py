from __future__ import annotations

import numpy as np
import pytest

from medssl_bench.datasets.phantoms.random_rows import Draws
from medssl_bench.datasets.phantoms.stain import DYES, LAMP, Stain, draw_stain


def plain(count=1):
    return Stain(np.tile(DYES, (count, 1, 1)), np.tile(LAMP, (count, 1)), np.ones(count, np.float32))


def amounts(purple, eosin, blue):
    return (np.full((1, 2, 2), amount, np.float32) for amount in (purple, eosin, blue))


def test_light_decays_by_beer_and_lambert():
    image = plain().transmit(*amounts(0.7, 0.2, 0.4))

    expected = LAMP * np.exp(-(np.float32([0.7, 0.2, 0.4]) @ DYES))
    np.testing.assert_allclose(image, np.broadcast_to(expected, (1, 2, 2, 3)), rtol=1e-5)


@pytest.mark.parametrize(("dye", "channel"), [(0, 1), (1, 0), (2, 2)])
def test_hues(dye, channel):
    """Purple lacks green most, eosin lets red through, azure blue lets blue through."""
    image = plain().transmit(*amounts(*np.eye(3)[dye]))[0, 0, 0]

    assert channel == (image.argmin() if dye == 0 else image.argmax())


def test_saturation_0_is_grey():
    stain = Stain(DYES[None], LAMP[None], np.zeros(1, np.float32))
    image = stain.transmit(*amounts(0.5, 0.5, 0.1))

    assert np.ptp(image, axis=-1).max() < 1e-6


def test_stains_differ_unless_nuisance_is_0():
    calm, wild = (draw_stain(Draws(np.random.default_rng(0), 20), nuisance) for nuisance in (0.0, 1.0))

    np.testing.assert_array_equal(calm.dyes, np.tile(DYES, (20, 1, 1)))
    np.testing.assert_array_equal(calm.lamp, np.tile(LAMP, (20, 1)))
    assert wild.dyes.std(axis=0).min() > 0.02
    assert wild.lamp.max() <= 1
