"""Training images and views that an augmentation makes of them (fig. 3.2, 4.1, 4.2, 5.1 and 6.1 of [Jiang 2023])."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from PIL import Image

from medssl_bench.figures.figure import ReportFigure, slug
from medssl_bench.figures.material import GENERATED, FigureSource, sentences
from medssl_bench.figures.pretraining import Pretrained, pretrainings
from medssl_bench.figures.style import COLUMN, new_figure, styled
from medssl_bench.figures.view_sheet import (
    GAP,
    IMAGES,
    VIEWS,
    can_be_read,
    keep_sheet,
    kept_sheet,
    sheet_name,
    sheet_of,
    training_sample,
    views_of,
)
from medssl_bench.plan.kinds.pretrain import PretrainSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from medssl_bench.datasets import Dataset


def augmentation_figures(source: FigureSource) -> Iterator[ReportFigure]:
    """Yield a figure for each augmentation and data set that some recipe brings together.

    Either an earlier report has kept its pictures in the cache folder, or the images are in the data folder.
    """
    groups: dict[str, list[Pretrained]] = {}
    for found in pretrainings(source):
        groups.setdefault(sheet_name(_spec(source, found)), []).append(found)
    told = set()
    for name, members in groups.items():
        first = members[0]
        kept = kept_sheet(source.cache, name)
        if kept is None and not can_be_read(_dataset(source, first), _spec(source, first)):
            if first.dataset not in told:
                source.left_out(f"augmentations of {first.dataset}: the images are not in the data folder")
            told.add(first.dataset)
            continue
        draw = partial(_draw, source, first, name) if kept is None else partial(_draw_kept, kept)
        yield _figure(source, members, draw, only_here=kept is None)


def _figure(
    source: FigureSource, members: list[Pretrained], draw: Callable[[], Figure], *, only_here: bool
) -> ReportFigure:
    first = members[0]
    recipes = list(dict.fromkeys(found.recipe for found in members))
    tables = {table for found in members for table in found.tables}
    name = _spec(source, first).augmentation.name
    info = source.info(first.dataset)
    marks = tuple(mark for mark in source.marks(first.dataset) if mark == GENERATED)  # views are those of a full run
    caption = sentences(
        f"left: {IMAGES} training images of {first.dataset}; right: {VIEWS} views of each by {name}",
        f"recipes with it: {', '.join(recipes)}",
        f"licence of the images: {info.licence}" if info and not info.generated else "",
        *marks,
    )
    return ReportFigure(
        slug("augmentation", recipes[0], first.dataset),
        f"Views of {first.dataset} by {name} ({', '.join(recipes)})",
        caption,
        next(iter(tables)) if len(tables) == 1 else None,
        draw,
        marks,
        only_here=only_here,
    )


def _spec(source: FigureSource, found: Pretrained) -> PretrainSpec:
    return source.plan.spec(found.stage, PretrainSpec)


def _dataset(source: FigureSource, found: Pretrained) -> Dataset:
    component = _spec(source, found).dataset.component
    dataset: Dataset = source.suite.plugins.registry.build(component, context=source.context)
    return dataset


def _draw(source: FigureSource, found: Pretrained, name: str) -> Figure:
    originals = sample(source, found)
    sheet = sheet_of(originals, views(source, found, originals))
    keep_sheet(source.cache, name, sheet)
    return draw_views(sheet, len(originals))


def _draw_kept(content: bytes) -> Figure:
    sheet = Image.open(io.BytesIO(content))
    step = (sheet.width + GAP) / (1 + VIEWS)
    return draw_views(sheet, round((sheet.height + GAP) / step))


def sample(source: FigureSource, found: Pretrained) -> Tensor:
    """Return some training images of a pretraining's data set, (n, 3, H, W) in [0, 1]; the same ones every time.

    Raises:
        DataError: they cannot be read.
    """
    key = _spec(source, found).dataset.key
    if key not in source.samples:
        source.samples[key] = training_sample(_dataset(source, found))
    chosen: Tensor = source.samples[key]
    return chosen


def views(source: FigureSource, found: Pretrained, originals: Tensor) -> list[Tensor]:
    """Return views of images by a pretraining's augmentation, those that `medssl-bench preview` draws."""
    return views_of(originals, _spec(source, found), source.suite.plugins.registry)


@styled
def draw_views(sheet: Image.Image, rows: int) -> Figure:
    """Draw a contact sheet with headings.

    Args:
        sheet: originals in the first column, views in the others.
        rows: number of images.
    """
    columns = 1 + VIEWS
    figure = new_figure(COLUMN, COLUMN * rows / columns + 0.2)
    axes = figure.subplots()
    axes.imshow(sheet, interpolation="none", extent=(0, columns, rows, 0))
    axes.set_xticks([0.5 + column for column in range(columns)], ["original", *(f"view {n + 1}" for n in range(VIEWS))])
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=1)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    return figure
