"""The phantoms as suites name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from medssl_bench.datasets.phantoms.limits import LARGEST, MOST_NUISANCE, SMALLEST
from medssl_bench.plugin.parameters import AddedLater, Field

if TYPE_CHECKING:
    from medssl_bench.datasets.base import Dataset, DatasetContext

Size = Annotated[int, Field(ge=SMALLEST, le=LARGEST)]
Count = Annotated[int, Field(ge=1)]
Nuisance = Annotated[float, Field(ge=0, le=MOST_NUISANCE)]


def phantom_cells(
    context: DatasetContext,  # noqa: ARG001 - nothing is read or kept
    *,
    size: Size = 28,
    train: Count = 4000,
    val: Count = 500,
    test: Count = 1000,
    seed: int = 0,
    nuisance: Nuisance = 1.0,
    per_patient: Annotated[int, Field(ge=1), AddedLater(1)] = 1,
    shared_groups: Annotated[bool, AddedLater(False)] = False,
    one_kind: Annotated[bool, AddedLater(False)] = False,
    unlabelled: Annotated[int, Field(ge=0)] = 0,
) -> Dataset:
    """Generated RGB images of blood cells: eight kinds, uneven in number, which differ in shape and texture.

    After the look of the collection behind BloodMNIST (Acevedo et al. 2020, doi:10.1016/j.dib.2020.105474); every
    pixel is drawn by formula. Image i of a split is the same however many there are, and shows the same at any size.

    Args:
        context: where files are; none is used.
        size: side of the images in pixels.
        train: number of training images.
        val: number of validation images.
        test: number of test images.
        seed: of everything random in the images and labels; another seed gives another set of the same kind.
        nuisance: how much stain, light, blur and noise differ between images; 0 is an easy set, 1 the intended one.
        per_patient: images of each patient: so many have one stain, light and focus; 1: there are no patients.
        shared_groups: whether validation and test images are of the patients of the training images, as where images
            were split without regard to patients: the same cells in other stains. Every table says so.
        one_kind: whether all cells of a patient are of one kind, as patients have one disease.
        unlabelled: number of images without labels, for pretraining; they change no other image.

    Raises:
        DataError: a parameter is out of range.
    """
    from medssl_bench.datasets.phantoms.cells_dataset import CellsDataset

    counts = {"train": train, "val": val, "test": test, "unlabelled": unlabelled}
    return CellsDataset(
        size=size,
        **counts,
        seed=seed,
        nuisance=nuisance,
        per_patient=per_patient,
        shared_groups=shared_groups,
        one_kind=one_kind,
    )


def phantom_layers(
    context: DatasetContext,  # noqa: ARG001 - nothing is read or kept
    *,
    task: Literal["multi-class", "binary", "ordinal", "multi-label"] = "multi-class",
    size: Size = 28,
    train: Count = 4000,
    val: Count = 500,
    test: Count = 1000,
    seed: int = 0,
    nuisance: Nuisance = 1.0,
    unlabelled: Annotated[int, Field(ge=0)] = 0,
) -> Dataset:
    """Generated grey scans of a layered retina, as optical coherence tomography shows it, for any task.

    After the classes of OCTMNIST (Kermany et al. 2018, doi:10.1016/j.cell.2018.02.010); every pixel is drawn by
    formula. Image i of a split is the same however many there are, and shows the same at any size.

    Args:
        context: where files are; none is used.
        task: what the labels mean: the disease (four classes), whether there is one (binary), the grade of drusen
            (four grades) or which of four findings there are (multi-label).
        size: side of the images in pixels.
        train: number of training images.
        val: number of validation images.
        test: number of test images.
        seed: of everything random in the images and labels; another seed gives another set of the same kind.
        nuisance: how much light, speckle, blur and noise differ between images; 0 is an easy set, 1 the intended one.
        unlabelled: number of images without labels, for pretraining; they change no other image.

    Raises:
        DataError: a parameter is out of range.
    """
    from medssl_bench.datasets.base import Task
    from medssl_bench.datasets.phantoms.layers_dataset import LayersDataset

    return LayersDataset(
        size=size,
        train=train,
        val=val,
        test=test,
        seed=seed,
        nuisance=nuisance,
        unlabelled=unlabelled,
        labelled=Task(task),
    )
