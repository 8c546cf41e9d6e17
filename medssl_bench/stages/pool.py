"""The images that a pretraining learns from, and those that it is watched on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets import Images
from medssl_bench.datasets.held_out import draw_held_out
from medssl_bench.datasets.join import join
from medssl_bench.datasets.label_draws import draw_unlabelled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets import Split
    from medssl_bench.plan.kinds.pretrain import PretrainSpec
    from medssl_bench.stages.workshop import Workshop


@dataclass(frozen=True)
class LoadedPool:
    """A pool in memory.

    Attributes:
        images: of all parts, those that are held out among them.
        learned: places of the images that are learned from, ascending.
        watched: the images on which the method's metrics are followed; may be none.
        watched_places: places of those among them that are; None: all.
        sources: how many images of each data set are learned from, by its title, where there are several.
    """

    images: Images
    learned: NDArray[np.int64]
    watched: Images
    watched_places: NDArray[np.int64] | None
    sources: dict[str, int]


def load_pool(spec: PretrainSpec, workshop: Workshop) -> LoadedPool:
    """Read the images of a pretraining.

    Raises:
        DataError: they cannot be had, or do not fit into memory.
        StageError: they are no longer what the plan was made for, or too few.
    """
    parts: list[Images | Split] = []
    numbers: list[int] = []
    validation: list[Images | Split] = []
    titles: list[str] = []
    for number, part in enumerate(spec.parts):
        data = workshop.dataset(part.dataset)
        titles.append(data.info.title)
        found: list[Images | Split] = [data.splits["train"]] if part.train else []
        if part.unlabelled is not None:
            found.append(workshop.unlabelled(part.dataset, part.unlabelled))
        parts += found
        numbers += [number] * len(found)
        validation += [data.splits["val"]] if "val" in data.splits else []
    images = join(parts, numbers)
    total = len(images)
    out = draw_held_out(total, images.groups) if spec.held_out else np.empty(0, np.int64)
    stay = np.setdiff1d(np.arange(total), out, assume_unique=True)
    learned = stay[draw_unlabelled(len(stay), spec.images, spec.seed)]
    sources: dict[str, int] = {}
    if len(titles) > 1:
        of = np.repeat(np.array(numbers), [len(part) for part in parts])[learned]
        for number, title in enumerate(titles):
            sources[title] = sources.get(title, 0) + int((of == number).sum())
    if spec.held_out:
        return LoadedPool(images, learned, images, out, sources)
    watched = join(validation, range(len(validation))) if validation else Images(images.images[:0])
    return LoadedPool(images, learned, watched, None, sources)
