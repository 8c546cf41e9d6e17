"""The data set of blood-smear-like cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.datasets.base import Task
from medssl_bench.datasets.phantoms import cells
from medssl_bench.datasets.phantoms.cell_types import CELL_TYPES
from medssl_bench.datasets.phantoms.dataset import PhantomDataset
from medssl_bench.datasets.phantoms.random_rows import choose

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class CellsDataset(PhantomDataset):
    """RGB images of eight kinds of cells, uneven in number; see `PhantomDataset`."""

    name = "phantom_cells"
    revision = 1
    title = "Phantom blood cells"
    channels = 3

    @property
    def task(self) -> Task:
        """One kind of cell per image."""
        return Task.MULTI_CLASS

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the kinds."""
        return tuple(kind.name for kind in CELL_TYPES)

    def draw_contents(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """Return the kind of cell (count, 1) of each image."""
        return choose([kind.share for kind in CELL_TYPES], rng.random((count, 1)))

    def labels(self, contents: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the contents: the label is the kind of cell."""
        return contents

    def draw_images(
        self, contents: NDArray[np.int64], scenes: np.random.Generator, noise: np.random.Generator
    ) -> NDArray[np.uint8]:
        """Return images (B, size, size, 3)."""
        return cells.paint(cells.draw_scene(contents[:, 0], scenes, self.nuisance), self.size, noise)
