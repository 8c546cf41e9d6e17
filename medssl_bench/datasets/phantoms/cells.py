"""Draws cells of a blood smear: one nucleated cell or platelet, red cells around it, as under a microscope."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.phantoms.camera import Camera, draw_camera
from medssl_bench.datasets.phantoms.canvas import Canvas, Floats, per_image
from medssl_bench.datasets.phantoms.cell_types import CELL_TYPES, CellType
from medssl_bench.datasets.phantoms.random_rows import Draws
from medssl_bench.datasets.phantoms.red_cells import RedCells, draw_red_cells
from medssl_bench.datasets.phantoms.stain import Stain, draw_stain
from medssl_bench.datasets.phantoms.waves import Waves, draw_waves

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOBES = np.array([kind.lobes for kind in CELL_TYPES], np.float32)
MOST_LOBES = int(LOBES.max())
RANGES = {
    f.name: np.array([getattr(kind, f.name) for kind in CELL_TYPES], np.float32)
    for f in fields(CellType)
    if f.name not in {"name", "share", "lobes"}
}


@dataclass(frozen=True)
class CellScene:
    """A cell and its surroundings, for each of B images.

    Attributes:
        traits: (B,) value of each range of `CellType`, by name.
        centre_x: (B,) of the cell.
        centre_y: (B,) of the cell.
        radius: (B,) of the cell.
        long_axis: (B,) direction in which the cell is stretched.
        stretch: (B,) short axis over long axis.
        lobe_x: (B, L) centres of the nucleus' lobes.
        lobe_y: (B, L).
        lobe_radius: (B, L); far below 0 for those that are not there.
        outline: what makes outlines waver.
        chromatin: texture of the nucleus.
        grains: where it is high, there is a granule or a vacuole.
        red_cells: the neighbours.
        stain: colours.
        camera: blur, light and noise.
    """

    traits: dict[str, Floats]
    centre_x: Floats
    centre_y: Floats
    radius: Floats
    long_axis: Floats
    stretch: Floats
    lobe_x: Floats
    lobe_y: Floats
    lobe_radius: Floats
    outline: Waves
    chromatin: Waves
    grains: Waves
    red_cells: RedCells
    stain: Stain
    camera: Camera


def draw_scene(labels: NDArray[np.int64], rng: np.random.Generator, nuisance: float) -> CellScene:
    """Return a scene for each label (B,)."""
    draws = Draws(rng, len(labels))
    traits = {name: draws.uniform(*bounds[labels].T) for name, bounds in RANGES.items()}
    zoom = np.exp(draws.uniform(-0.15, 0.12))
    radius = zoom * traits["radius"]
    centre_x, centre_y = draws.uniform(-0.2, 0.2), draws.uniform(-0.2, 0.2)
    fewest, most = LOBES[labels].T
    count = np.floor(draws.uniform(fewest, most + 1))[:, None]
    index = np.arange(MOST_LOBES, dtype=np.float32)
    step = traits["gap"] * traits["lobe"] / np.maximum(traits["bend"], 0.1)
    angle = draws.angle(1) + (index - (count - 1) / 2) * step[:, None] + draws.normal(0.1, MOST_LOBES)
    bend = (radius * traits["bend"])[:, None] * (1 + draws.normal(0.12, MOST_LOBES))
    lobe_radius = (radius * traits["lobe"])[:, None] * (1 + draws.normal(0.08, MOST_LOBES))
    return CellScene(
        traits=traits,
        centre_x=centre_x,
        centre_y=centre_y,
        radius=radius,
        long_axis=draws.angle(),
        stretch=draws.uniform(0.8, 1.0),
        lobe_x=centre_x[:, None] + bend * np.cos(angle),
        lobe_y=centre_y[:, None] + bend * np.sin(angle),
        lobe_radius=np.where(index < count, lobe_radius, -9),
        outline=draw_waves(draws, 6, 0.35, 0.9),
        chromatin=draw_waves(draws, 12, 0.1, 0.25),
        grains=draw_waves(draws, 16, 0.8 * traits["grain"], 1.3 * traits["grain"]),
        red_cells=draw_red_cells(draws, centre_x, centre_y, radius, zoom),
        stain=draw_stain(draws, nuisance),
        camera=draw_camera(draws, blur=0.11 * nuisance, light=0.25 * nuisance, noise=0.03 * nuisance),
    )


def paint(scene: CellScene, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return images (B, size, size, 3) of a scene; the generator gives the sensor's noise."""
    canvas = Canvas.of(size, scene.camera.blur)
    trait = {name: per_image(values) for name, values in scene.traits.items()}
    waver = scene.outline.over(canvas, scene.outline.fade(canvas))
    cell = canvas.inside(_body_distance(scene, canvas) - per_image(scene.radius) * (1 + trait["ragged"] * waver))
    nucleus = cell * canvas.inside(_nucleus_distance(scene, canvas) + per_image(scene.radius) * 0.03 * waver)
    texture = scene.chromatin.over(canvas, scene.chromatin.fade(canvas))
    grains = _grains(scene, canvas)
    cytoplasm = cell - nucleus
    red = (1 - cell) * scene.red_cells.density(canvas, waver)
    filling = cytoplasm * (1 - trait["vacuoles"] * grains)
    grains *= cytoplasm + trait["overlay"] * nucleus
    purple = nucleus * trait["chromatin"] * np.maximum(1 + trait["clumping"] * texture, 0.2)
    purple += filling * trait["purple"] + grains * trait["grain_purple"]
    eosin = red + filling * trait["eosin"] + grains * trait["grain_eosin"]
    blue = 0.12 * red + filling * trait["blue"]
    image = scene.stain.transmit(purple, eosin, blue)
    image *= scene.camera.light(canvas)[..., None]
    return scene.camera.expose(image, rng)


def _body_distance(scene: CellScene, canvas: Canvas) -> Floats:
    """Return the distance (B, H, W) from the cell's centre, longer across the cell's long axis."""
    across, down = canvas.offsets(scene.centre_x, scene.centre_y)
    short = per_image(np.cos(scene.long_axis)) * down - per_image(np.sin(scene.long_axis)) * across
    squeeze = per_image(np.reciprocal(np.square(scene.stretch)) - 1)
    return np.sqrt(np.square(across) + np.square(down) + squeeze * np.square(short))


def _nucleus_distance(scene: CellScene, canvas: Canvas) -> Floats:
    """Return the signed distance (B, H, W) to the union of the lobes, with bridges where they are near.

    The minimum of the distances is replaced by the smooth -k log(sum(exp(-d / k))).
    """
    reach = per_image(scene.radius * 0.05)
    total = np.full((), 1e-30, np.float32)
    for x, y, radius in zip(scene.lobe_x.T, scene.lobe_y.T, scene.lobe_radius.T, strict=True):
        total = total + np.exp((per_image(radius) - canvas.distance(x, y)) / reach)
    return -reach * np.log(total)


def _grains(scene: CellScene, canvas: Canvas) -> Floats:
    """Return how much of each pixel (B, H, W) granules cover: the peaks of a texture above a level.

    The peaks are as sharp at every size; what pixels and blur average out is their contrast.
    """
    crowding = per_image(scene.traits["crowding"])
    level = np.log((1 - crowding) / crowding) / 1.7  # the normal quantile, nearly
    peaks = np.clip(0.5 + 2 * (scene.grains.over(canvas) - level), 0, 1)
    return crowding + per_image(scene.grains.fade(canvas).mean(axis=1)) * (peaks - crowding)
