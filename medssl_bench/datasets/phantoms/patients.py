"""What all images of one patient have in common: stain, light and focus."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from medssl_bench.datasets.phantoms.camera import Camera, draw_camera
from medssl_bench.datasets.phantoms.random_rows import Draws
from medssl_bench.datasets.phantoms.stain import Stain, draw_stain
from medssl_bench.randomness import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets.phantoms.cells import CellScene
    from medssl_bench.datasets.phantoms.dataset import Part

    Rows = TypeVar("Rows", Stain, Camera)


@dataclass(frozen=True)
class Patients:
    """The patients of a split; what one is like depends on the seed, the split and the number alone.

    Attributes:
        seed: of the data set.
        split: whose patients they are.
        nuisance: how much they differ.
    """

    seed: int
    split: Part
    nuisance: float

    def give(self, scene: CellScene, numbers: NDArray[np.int64]) -> CellScene:
        """Return scenes of B images with the stain, light and focus of their patients (B,); noise is each image's."""
        unique, which = np.unique(numbers, return_inverse=True)
        drawn = [self._draw(int(number)) for number in unique]
        stain = _rows([stain for stain, _ in drawn], which)
        camera = _rows([camera for _, camera in drawn], which)
        return replace(scene, stain=stain, camera=replace(camera, noise=scene.camera.noise))

    def _draw(self, number: int) -> tuple[Stain, Camera]:
        draws = Draws(generator("phantom patients", seed=self.seed, split=self.split, patient=number), 1)
        stain = draw_stain(draws, self.nuisance)
        return stain, draw_camera(draws, blur=0.11 * self.nuisance, light=0.25 * self.nuisance, noise=0)


def _rows(found: list[Rows], which: NDArray[np.int64]) -> Rows:
    kind = type(found[0])
    values = {f.name: np.concatenate([getattr(one, f.name) for one in found])[which] for f in fields(kind)}
    return kind(**values)
