"""A generated data set: what all phantoms share, from random streams to splits."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import nullcontext
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from medssl_bench.datasets.base import SPLITS, Dataset, DatasetInfo, Images, Split, SplitName, Splits, Task
from medssl_bench.datasets.memory import require_memory
from medssl_bench.datasets.phantoms.limits import LARGEST, MOST_NUISANCE, SMALLEST
from medssl_bench.datasets.progress import progress_bar
from medssl_bench.errors import DataError
from medssl_bench.randomness import generator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Part = SplitName | Literal["unlabelled"]
"""What images are drawn for; each part has random streams of its own."""

_CHUNK = 32
"""Images drawn at once; they share a random stream, so another number would give other images."""

_SHOW_PROGRESS_FROM = 2**26
"""Pixels; fewer are drawn in seconds."""


@dataclass(frozen=True, kw_only=True)
class PhantomDataset(Dataset):
    """Images drawn by formula: the same parameters give the same images, whatever is drawn beside them.

    What image i shows depends on the seed, the split, the task and i alone. More images leave the first ones as they
    are; another size shows the same scenes with other noise. (The last digit of mathematical functions may differ
    between processors; with it, rarely, a pixel differs by one level.)

    Attributes:
        size: side of the images in pixels.
        train: number of images.
        val: number of images.
        test: number of images.
        seed: of all that is random.
        nuisance: scale of what does not depend on the class: stain, light, blur and noise.
        unlabelled: number of images without labels, of the same kinds.

    Raises:
        DataError: a parameter is out of range.
    """

    size: int
    train: int
    val: int
    test: int
    seed: int
    nuisance: float
    unlabelled: int = 0

    name: ClassVar[str]
    revision: ClassVar[int]  # must grow whenever the same parameters give other images than before
    title: ClassVar[str]
    channels: ClassVar[int]

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not SMALLEST <= self.size <= LARGEST:
            raise DataError(f"{self.name}: size must be from {SMALLEST} to {LARGEST} pixels, not {self.size}")
        if not 0 <= self.nuisance <= MOST_NUISANCE:
            raise DataError(f"{self.name}: nuisance must be from 0 to {MOST_NUISANCE:g}, not {self.nuisance}")
        for split, count in self._counts().items():
            if count < 1:
                raise DataError(f"{self.name}: {split} must be at least 1 image, not {count}")

    @property
    @abstractmethod
    def task(self) -> Task:
        """What the labels mean."""

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the labels."""

    @abstractmethod
    def draw_contents(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """Return what each image shows, (count, K); what the first ones show must not depend on the count."""

    @abstractmethod
    def labels(self, contents: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the labels (N, L) of images with contents (N, K)."""

    @abstractmethod
    def draw_images(
        self,
        contents: NDArray[np.int64],
        scenes: np.random.Generator,
        noise: np.random.Generator,
        split: Part,
        start: int,
    ) -> NDArray[np.uint8]:
        """Return images (B, size, size[, 3]) with contents (B, K).

        Args:
            contents: what they show.
            scenes: random numbers for the scenes; how many are used must not depend on contents or size.
            noise: random numbers for the pixels.
            split: whose images they are.
            start: place of the first in the split.
        """

    def info(self) -> DatasetInfo:
        """Return what the images are like; none is drawn."""
        return DatasetInfo(
            title=self.title,
            task=self.task,
            classes=self.classes,
            channels=self.channels,
            size=self.size,
            counts=self._counts(),
            licence="Apache-2.0",
            source="drawn by medssl-bench",
            generated=True,
            unlabelled=self.unlabelled,
            unlabelled_fingerprint=f"{self.fingerprint()} unlabelled={self.unlabelled}" if self.unlabelled else "",
            class_counts=self._class_counts("train", self.train),
            val_class_counts=self._class_counts("val", self.val),
            test_class_counts=self._class_counts("test", self.test),
        )

    def _class_counts(self, split: SplitName, count: int) -> tuple[int, ...] | None:
        if self.task is Task.MULTI_LABEL:
            return None
        labels = self.labels(self._contents(split, count))[:, 0]
        return tuple(np.bincount(labels, minlength=len(self.classes)).tolist())

    def fingerprint(self) -> str:
        """Return the parameters and the revision of the drawing: together they decide every pixel of the splits.

        What a phantom got later has a default, at which it is left out: old results stay valid.
        """
        named = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        del named["unlabelled"]
        values = {name: value for name, (value, default) in named.items() if value != default}
        values["nuisance"] = float(self.nuisance)
        return " ".join([self.name, f"revision={self.revision}", *(f"{k}={v}" for k, v in values.items())])

    def load(self) -> Splits:
        """Draw the images of the splits.

        Raises:
            DataError: they do not fit into memory.
        """
        counts = self._counts()
        drawn = self._draw({split: counts[split] for split in SPLITS})
        return {split: Split(drawn[split], self.labels(self._contents(split, counts[split]))) for split in SPLITS}

    def load_unlabelled(self) -> Images:
        """Draw the images without labels; errors as of `load`."""
        return Images(self._draw({"unlabelled": self.unlabelled})["unlabelled"])

    def _draw(self, counts: Mapping[Part, int]) -> dict[Part, NDArray[np.uint8]]:
        total = sum(counts.values())
        pixels = total * self.size**2
        require_memory(pixels * self.channels, f"{self.name}: {total:,} images of {self.size} pixels")
        title = f"drawing {total:,} images of {self.name}"
        with progress_bar(title, "images") if pixels >= _SHOW_PROGRESS_FROM else nullcontext() as report:
            done, drawn = 0, {}
            for split, count in counts.items():
                contents = self._contents(split, count + -count % _CHUNK)
                shape = (count, self.size, self.size) + ((3,) if self.channels == 3 else ())
                images = np.empty(shape, np.uint8)
                for start in range(0, count, _CHUNK):
                    chunk = self._draw_chunk(split, start, contents[start : start + _CHUNK])
                    images[start : start + _CHUNK] = chunk[: count - start]
                    done += min(_CHUNK, count - start)
                    if report is not None:
                        report(done, total)
                drawn[split] = images
        return drawn

    def _counts(self) -> dict[SplitName, int]:
        return dict(zip(SPLITS, (self.train, self.val, self.test), strict=True))

    def _contents(self, split: Part, count: int) -> NDArray[np.int64]:
        rng = generator(f"{self.name} contents", task=self.task, seed=self.seed, split=split)
        return self.draw_contents(rng, count)

    def _draw_chunk(self, split: Part, start: int, contents: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return a whole chunk, even where fewer images are wanted: its rows share their random streams."""
        scenes = generator(f"{self.name} scenes", seed=self.seed, split=split, start=start)
        noise = generator(f"{self.name} noise", seed=self.seed, split=split, start=start, size=self.size)
        return self.draw_images(contents, scenes, noise, split, start)
