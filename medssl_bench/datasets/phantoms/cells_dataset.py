"""The data set of blood-smear-like cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.base import DatasetInfo, Task
from medssl_bench.datasets.groups import group_counts, shared_groups, shared_lines
from medssl_bench.datasets.phantoms import cells
from medssl_bench.datasets.phantoms.cell_types import CELL_TYPES
from medssl_bench.datasets.phantoms.dataset import Part, PhantomDataset
from medssl_bench.datasets.phantoms.patients import Patients
from medssl_bench.datasets.phantoms.random_rows import choose
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets.base import Images, Splits


@dataclass(frozen=True, kw_only=True)
class CellsDataset(PhantomDataset):
    """RGB images of eight kinds of cells, uneven in number; see `PhantomDataset`.

    Attributes:
        per_patient: images of a patient; 1: the set has no patients.
        shared_groups: whether the patients of the training images are those of the validation and test images too.
        one_kind: whether all cells of a patient are of one kind, as of one disease.
    """

    per_patient: int = 1
    shared_groups: bool = False
    one_kind: bool = False

    name = "phantom_cells"
    revision = 1
    title = "Phantom blood cells"
    channels = 3

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        super().__post_init__()
        if self.per_patient < 1:
            raise DataError(f"{self.name}: per_patient must be at least 1 image, not {self.per_patient}")
        if self.shared_groups and self.per_patient == 1:
            raise DataError(f"{self.name}: shared_groups is for a set with patients; give per_patient, from 2")
        if self.one_kind and (self.per_patient == 1 or self.shared_groups):
            raise DataError(f"{self.name}: one_kind is for patients of one split each; give per_patient, from 2")

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

    def _contents(self, split: Part, count: int) -> NDArray[np.int64]:
        """Return the kind of cell (count, 1) of each image; of a patient with one kind, that of its first image."""
        contents = super()._contents(split, count)
        if not self.one_kind:
            return contents
        places = np.arange(count)
        return contents[places - places % self.per_patient]

    def labels(self, contents: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the contents: the label is the kind of cell."""
        return contents

    def info(self) -> DatasetInfo:
        """Return what the images are like, and how many patients there are."""
        info = super().info()
        if self.per_patient == 1:
            return info
        groups = {split: self._groups(split, count) for split, count in info.counts.items()}
        return replace(info, group_counts=group_counts(groups), warnings=tuple(shared_lines(shared_groups(groups))))

    def load(self) -> Splits:
        """Draw all images, and say which are of one patient."""
        splits = super().load()
        if self.per_patient == 1:
            return splits
        return {split: replace(part, groups=self._groups(split, len(part))) for split, part in splits.items()}

    def load_unlabelled(self) -> Images:
        """Draw the images without labels, and say which are of one patient."""
        found = super().load_unlabelled()
        return found if self.per_patient == 1 else replace(found, groups=self._groups("unlabelled", len(found)))

    def draw_images(
        self,
        contents: NDArray[np.int64],
        scenes: np.random.Generator,
        noise: np.random.Generator,
        split: Part,
        start: int,
    ) -> NDArray[np.uint8]:
        """Return images (B, size, size, 3)."""
        scene = cells.draw_scene(contents[:, 0], scenes, self.nuisance)
        if self.per_patient > 1:
            patients = Patients(self.seed, "train" if self.shared_groups else split, self.nuisance)
            scene = patients.give(scene, self._patients(split, start + np.arange(len(contents))))
        return cells.paint(scene, self.size, noise)

    def _patients(self, split: Part, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of the patient, within those of the split, of the images at some places."""
        if self.shared_groups and split != "train":
            return places % -(-self.train // self.per_patient)
        return places // self.per_patient

    def _groups(self, split: Part, count: int) -> NDArray[np.int64]:
        """Return numbers of patients (count,), which are other ones in each split unless the splits share them."""
        before = 0
        for name, images in self._counts().items():
            if name == split or self.shared_groups:
                break
            before += -(-images // self.per_patient)
        return before + self._patients(split, np.arange(count))
