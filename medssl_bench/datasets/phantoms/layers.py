"""Draws scans of the retina as optical coherence tomography shows them: layers, findings, shadows and speckle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.phantoms.bumps import Bumps
from medssl_bench.datasets.phantoms.camera import Camera, draw_camera
from medssl_bench.datasets.phantoms.canvas import Canvas, Floats, per_image
from medssl_bench.datasets.phantoms.random_rows import Draws
from medssl_bench.datasets.phantoms.retina import Boundaries, Retina, draw_retina
from medssl_bench.datasets.phantoms.waves import Waves, draw_waves

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

VITREOUS, FLUID, EPITHELIUM, UNDER_DRUSEN, CHOROID = 0.04, 0.05, 0.9, 0.45, 0.5
EPITHELIUM_THICKNESS = 0.07


@dataclass(frozen=True)
class LayerScene:
    """A scan, for each of B images.

    Attributes:
        retina: layers and findings.
        shadows: shadows of the retina's vessels.
        tissue: uneven brightness of a membrane and of the choroid.
        depth: (B,) how deep the light reaches into the choroid, in frame units.
        speckle: (B,) standard deviation of the logarithm of the brightness.
        gain: (B,) brightness of the whole.
        floor: (B,) brightness of what is dark.
        camera: blur, light and noise.
    """

    retina: Retina
    shadows: Bumps
    tissue: Waves
    depth: Floats
    speckle: Floats
    gain: Floats
    floor: Floats
    camera: Camera


def draw_scene(
    severities: Callable[[Draws], Floats], batch: int, rng: np.random.Generator, nuisance: float
) -> LayerScene:
    """Return a scene for each of `batch` images; `severities` draws how severe (B, 4) their findings are."""
    draws = Draws(rng, batch)
    return LayerScene(
        retina=draw_retina(draws, severities(draws)),
        shadows=Bumps(draws.uniform(-1, 1, 4), draws.uniform(0.02, 0.07, 4), draws.uniform(-0.8, 0.7, 4).clip(0)),
        tissue=draw_waves(draws, 10, 0.15, 0.5),
        depth=draws.uniform(0.15, 0.6),
        speckle=nuisance * draws.uniform(0.1, 0.35),
        gain=np.exp(nuisance * draws.uniform(-0.6, 0.2)),
        floor=nuisance * draws.uniform(0, 0.12),
        camera=draw_camera(draws, blur=0.09 * nuisance, light=0.25 * nuisance, noise=0.045 * nuisance),
    )


def paint(scene: LayerScene, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return images (B, size, size) of a scene; the generator gives speckle and the sensor's noise."""
    canvas = Canvas.of(size, scene.camera.blur)
    surfaces = scene.retina.boundaries(canvas)
    image = _tissue(scene, canvas, surfaces)
    below_top = canvas.inside(surfaces.top[:, None, :] - canvas.x[:, None])
    image *= 1 - below_top * np.minimum(scene.shadows.over(canvas), 0.85)[:, None, :]
    grain = rng.standard_normal(image.shape, dtype=np.float32)
    # A large pixel averages over many grains of speckle.
    image *= np.exp(per_image(scene.speckle) * min(1, size / 128) ** 0.5 * grain)
    image *= per_image(scene.gain) * scene.camera.light(canvas)
    return scene.camera.expose(image + per_image(scene.floor), rng)


def _tissue(scene: LayerScene, canvas: Canvas, surfaces: Boundaries) -> Floats:
    """Return the brightness (B, H, W) of all that reflects light, from the vitreous down to the choroid."""
    rows = canvas.x[:, None]

    def below(surface: Floats) -> Floats:
        return canvas.inside(surface[:, None, :] - rows)

    uneven = np.maximum(1 + 0.3 * scene.tissue.over(canvas, scene.tissue.fade(canvas)), 0)
    retina = scene.retina
    thickness = surfaces.bottom - surfaces.top
    image = np.full((len(retina.level), len(canvas.x), len(canvas.x)), VITREOUS, np.float32)
    previous: Floats = np.full_like(retina.level, VITREOUS)
    for begins, brightness in zip(retina.begins.T, retina.brightness.T, strict=True):
        image += per_image(brightness - previous) * below(surfaces.top + begins[:, None] * thickness)
        previous = brightness
    image += (FLUID - image) * _cysts(retina, canvas, surfaces)
    image += (FLUID - image) * below(surfaces.bottom)
    image += (0.75 * uneven - image) * below(surfaces.floor)
    image += (EPITHELIUM - image) * below(surfaces.epithelium)
    image += (UNDER_DRUSEN - image) * below(surfaces.epithelium + EPITHELIUM_THICKNESS)
    under = rows - (surfaces.bruch + EPITHELIUM_THICKNESS)[:, None, :]
    choroid = CHOROID * uneven * np.exp(-np.maximum(under, 0) / per_image(scene.depth))
    image += (choroid - image) * canvas.inside(-under)
    return image


def _cysts(retina: Retina, canvas: Canvas, surfaces: Boundaries) -> Floats:
    """Return how much of each pixel (B, H, W) is inside a cyst.

    The distance to an ellipse is taken as that to a circle, stretched: exact enough for soft edges.
    """
    thickness = surfaces.bottom - surfaces.top
    outside: Floats = np.ones((), np.float32)
    for x, depth, width, height in zip(
        retina.cyst_x.T, retina.cyst_depth.T, retina.cyst_width.T, retina.cyst_height.T, strict=True
    ):
        middle = surfaces.top + depth[:, None] * thickness
        down = (canvas.x[:, None] - middle[:, None, :]) / per_image(np.maximum(height, 1e-3))
        across = (canvas.x - x[:, None])[:, None, :] / per_image(np.maximum(width, 1e-3))
        radius = np.sqrt(np.square(down) + np.square(across))
        size = per_image(np.minimum(width, height))
        outside = outside * (1 - canvas.inside(size * (radius - 1)) * (size > 0))
    return 1 - outside
