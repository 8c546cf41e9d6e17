"""Where the images of public data sets come from, under the names that these sources have.

The sources of MedMNIST are those that its paper names (Yang et al. 2023, table 2), and the descriptions in ``INFO`` of
the package ``medmnist``. Beside the name of a source stand its other names, and larger collections that it is in.
"""

from __future__ import annotations

import re

_LITS = (
    "LiTS", "LiTS17", "Liver Tumor Segmentation Benchmark", "Medical Segmentation Decathlon", "MSD Liver",
    "AbdomenAtlas",
)  # fmt: skip

_ORIGINS: dict[str, tuple[str, ...]] = {
    "pathmnist": (
        "NCT-CRC-HE-100K", "NCT-CRC-HE", "NCT-CRC-HE-100K-NONORM", "NCT-CRC", "CRC-100K", "CRC-VAL-HE-7K",
    ),
    "chestmnist": (
        "NIH ChestX-ray14", "ChestX-ray14", "NIH-ChestXray14", "NIH Chest X-rays", "NIH-CXR", "NIH CXR14", "CXR14",
        "ChestX-ray8", "RSNA Pneumonia", "ChestX-Det10",
    ),
    "dermamnist": ("HAM10000", "ISIC", "ISIC archive", "ISIC 2018", "ISIC 2019"),
    "octmnist": ("OCT2017", "Kermany OCT", "Kermany 2018", "Kermany"),
    "pneumoniamnist": ("Kermany chest X-rays", "Chest X-Ray Images (Pneumonia)", "Kermany 2018", "Kermany"),
    "retinamnist": ("DeepDRiD", "DeepDR"),
    "breastmnist": ("BUSI", "Dataset of breast ultrasound images"),
    "bloodmnist": ("PBC", "PBC dataset", "PBC_dataset_normal_DIB"),
    "tissuemnist": ("BBBC051",),
    "organamnist": _LITS,
    "organcmnist": _LITS,
    "organsmnist": _LITS,
}  # fmt: skip

_COLLECTION = "MedMNIST"


def overlapping(trained_on: tuple[str, ...], names: tuple[str, ...]) -> list[str]:
    """Return which data sets of a training hold images that a data set may hold too.

    Args:
        trained_on: names of the data sets of the training.
        names: those that the data set is known by.
    """
    own = {_plain(name) for name in names if name}
    for flag, sources in _ORIGINS.items():
        every = {_plain(name) for name in (flag, *sources)}
        if flag in own or own & {_plain(name) for name in sources}:
            own |= every | ({_plain(_COLLECTION)} if flag in own else set())
    return [name for name in trained_on if _plain(name) in own]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
