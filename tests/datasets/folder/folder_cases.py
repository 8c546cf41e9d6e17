"""Small folders of images, laid out as people and archives do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

TWO = ("benign", "malignant")


def image(path: Path, level: int = 0, spread: int = 100, dtype: type = np.uint8) -> None:
    """Write a grey image of 12 x 12 random pixels, from `level` to `level + spread`, that no other path has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(list(path.as_posix().encode()))
    Image.fromarray((rng.integers(0, spread, (12, 12)) + level).astype(dtype)).save(path)


def classes(folder: Path, names: tuple[str, ...] | list[str] = TWO, count: int = 10) -> None:
    """Write class folders with images."""
    for name in names:
        for index in range(count):
            image(folder / name / f"{index:02}.png")


def splits(folder: Path, *names: str, classes_of: tuple[str, ...] = TWO) -> None:
    """Write folders of splits, the first with 10 images of each class, the others with 4."""
    for place, name in enumerate(names):
        classes(folder / name, classes_of, 4 if place else 10)
