from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medssl_bench.datasets.phantoms import layers
from medssl_bench.datasets.phantoms.canvas import Canvas
from medssl_bench.datasets.phantoms.findings import FINDINGS
from medssl_bench.datasets.phantoms.random_rows import Draws
from medssl_bench.datasets.phantoms.retina import draw_retina

SIZE = 64


def severity(count=40, **found):
    given_ = {name.split()[-1]: index for index, name in enumerate(FINDINGS)}
    values = np.zeros((count, len(FINDINGS)), np.float32)
    for name, value in found.items():
        values[:, given_[name]] = value
    return values


def surfaces(seed=0, count=40, **found):
    retina = draw_retina(Draws(np.random.default_rng(seed), count), severity(count, **found))
    return retina.boundaries(Canvas.of(SIZE, np.zeros(count, np.float32)))


def images(**found):
    scene = layers.draw_scene(lambda _: severity(**found), 40, np.random.default_rng(0), 0.0)
    return layers.paint(scene, SIZE, np.random.default_rng(0)).astype(float)


def test_a_normal_retina_rests_on_the_choroid():
    found = surfaces()

    for name in ("bottom", "floor", "epithelium"):
        np.testing.assert_allclose(getattr(found, name), found.bruch, atol=1e-6)


def test_every_finding_raises_its_own_surface():
    assert (surfaces(drusen=1).epithelium < surfaces().epithelium - 0.05).any(axis=1).all()
    np.testing.assert_allclose(surfaces(membrane=1).epithelium, surfaces().epithelium, atol=1e-6)
    assert (surfaces(membrane=1).floor < surfaces().floor - 0.1).any(axis=1).all()
    np.testing.assert_allclose(surfaces(fluid=1).floor, surfaces().floor, atol=1e-6)
    assert (surfaces(fluid=1).bottom < surfaces().bottom - 0.1).any(axis=1).all()


def test_cysts_swell_the_retina_and_lift_nothing():
    swollen, normal = surfaces(cysts=1), surfaces()

    np.testing.assert_allclose(swollen.bottom, normal.bottom, atol=1e-6)
    assert (swollen.top < normal.top - 0.02).any(axis=1).all()


def test_drusen_grow_with_severity():
    raised = [float((surfaces().epithelium - surfaces(drusen=s).epithelium).mean()) for s in (0.33, 0.67, 1.0)]

    assert 0 < raised[0] < raised[1] < raised[2]


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2**32), st.lists(st.floats(0, 1, width=32), min_size=4, max_size=4))
def test_surfaces_keep_their_order(seed, values):
    retina = draw_retina(Draws(np.random.default_rng(seed), 8), np.tile(np.float32(values), (8, 1)))
    found = retina.boundaries(Canvas.of(SIZE, np.zeros(8, np.float32)))

    ordered = [found.top, found.bottom, found.floor, found.epithelium, found.bruch]
    for above, below in itertools.pairwise(ordered):
        assert (above <= below + 1e-5).all()


@pytest.mark.parametrize("finding", ["fluid", "cysts"])
def test_fluid_is_dark(finding):
    assert np.quantile(images(**{finding: 1.0}) - images(), 0.02) < -40


def test_a_membrane_is_bright():
    difference = images(membrane=1.0) - images()

    assert difference.mean() > 0


def test_a_shadow_darkens_a_column_below_the_surface_alone():
    scene = layers.draw_scene(lambda _: severity(), 40, np.random.default_rng(0), 0.0)
    scene.shadows.height[:] = 0
    lit = layers.paint(scene, SIZE, np.random.default_rng(0)).astype(float)
    scene.shadows.height[:, 0] = 0.8
    dark = layers.paint(scene, SIZE, np.random.default_rng(0)).astype(float)
    column = np.abs(scene.shadows.x[:, :1] - np.linspace(-1, 1, SIZE)).argmin(axis=1)
    at = np.arange(40), slice(None), column

    assert (dark[at] - lit[at]).min(axis=1).max() < -20
    np.testing.assert_array_equal(dark[at][:, 0], lit[at][:, 0])
