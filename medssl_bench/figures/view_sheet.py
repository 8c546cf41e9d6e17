"""A sheet of training images and views of them, made once for an augmentation, a data set and a size of views.

It is remembered in the cache folder: to make it takes torch, all images, and the suite's plugins.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.datasets.download import Downloadable
from medssl_bench.datasets.sealed import keep_sealed, read_sealed
from medssl_bench.figures.contact_sheet import contact_sheet, images_to_show, varied_images
from medssl_bench.plan.keys import content_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image
    from torch import Tensor

    from medssl_bench.datasets import Dataset
    from medssl_bench.plan.kinds.pretrain import PretrainSpec
    from medssl_bench.plugin.registry import Registry

IMAGES = 6
VIEWS = 5
GAP = 6

_REVISION = 1
"""Raise it when sheets come out otherwise than before: remembered ones are then made anew."""


def sheet_name(spec: PretrainSpec) -> str:
    """Return what a sheet is remembered by: the same for all pretrainings whose sheets are the same."""
    together = {"augmentation": spec.augmentation.to_data(), "dataset": spec.dataset.key, "size": spec.view_size}
    return f"{content_key(together)}-{_REVISION}"


def kept_sheet(cache: Path | None, name: str) -> bytes | None:
    """Return the sheet that was left in the cache folder, as a PNG file has it, or None."""
    return read_sealed(_file(cache, name), name) if cache else None


def keep_sheet(cache: Path | None, name: str, sheet: Image.Image) -> None:
    """Leave a sheet in the cache folder, if there is one."""
    if cache:
        content = io.BytesIO()
        sheet.save(content, "PNG")
        keep_sealed(_file(cache, name), name, content.getvalue())


def _file(cache: Path, name: str) -> Path:
    return cache / "views" / f"{name}.png"


def can_be_read(dataset: Dataset, spec: PretrainSpec) -> bool:
    """Return whether the images that the plan was made for can be read without fetching anything."""
    fingerprint = dataset.fingerprint()
    if fingerprint is None or fingerprint != spec.dataset.fingerprint:
        return False
    return not isinstance(dataset, Downloadable) or dataset.is_present()


def training_sample(dataset: Dataset) -> Tensor:
    """Return some training images of a data set, (n, 3, H, W) in [0, 1]; the same ones every time.

    Raises:
        DataError: they cannot be read.
    """
    import torch

    from medssl_bench.training.images import DeviceImages

    split = images_to_show(dataset)
    places = varied_images(split.labels, IMAGES)
    return DeviceImages(split, torch.device("cpu"), places).take(torch.arange(len(places)))


def views_of(originals: Tensor, spec: PretrainSpec, registry: Registry) -> list[Tensor]:
    """Return views of images by a pretraining's augmentation, those that `medssl-bench preview` draws."""
    from medssl_bench.augmentations.views import draw_view
    from medssl_bench.randomness import stream

    module = registry.build(spec.augmentation, size=spec.view_size)
    return [draw_view(module, originals, stream("preview", seed=0, view=view)) for view in range(VIEWS)]


def sheet_of(originals: Tensor, views: Sequence[Tensor]) -> Image.Image:
    """Return the sheet: originals in the first column, views in the others."""
    return contact_sheet(originals, views, gap=GAP)
