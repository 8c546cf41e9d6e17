"""Contact sheets: images in a column and their views to the right, as a picture or in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions

    from medssl_bench.datasets import Dataset, Split

_PAPER = (255, 255, 255)
_INK = (64, 64, 64)


def contact_sheet(
    originals: Any,
    views: Sequence[Any],
    *,
    scale: int | None = None,
    gap: int = 2,
    captions: Sequence[str] = (),
) -> Image.Image:
    """Return originals in a column with their views to the right, as in fig. 3.2 of [Jiang 2023].

    Images and views are NumPy arrays or torch tensors: uint8 (N, H, W) or (N, H, W, 3), as data sets hold them, or
    float (N, C, H, W) in [0, 1], as augmentations give them.

    Args:
        originals: N images; brought to the views' size on the sheet.
        views: K times a view of every one of these images.
        scale: side of a pixel of a view on the sheet, in pixels; none: large enough for cells of about 112.
        gap: width of the lines between the cells, in pixels of the sheet.
        captions: text above the columns, 1 + K of them, or none.

    Returns:
        An RGB image of N rows and 1 + K columns.

    Raises:
        ValueError: the arrays are not such images, differ in number, or the captions do.
    """
    columns = [_pixels(array) for array in (originals, *views)]
    if len({len(column) for column in columns}) != 1 or not len(columns[0]):
        raise ValueError(f"every column needs the same number of images, at least 1; got {[len(c) for c in columns]}")
    if captions and len(captions) != len(columns):
        raise ValueError(f"{len(columns)} columns need as many captions, not {len(captions)}")
    side = columns[-1].shape[1]
    cell = side * (scale or max(1, round(112 / side)))
    letters = max(10, cell // 8)
    head = 2 * letters if captions else 0
    step = cell + gap
    sheet = Image.new("RGB", (len(columns) * step - gap, head + len(columns[0]) * step - gap), _PAPER)
    for x, column in enumerate(columns):
        for y, pixels in enumerate(column):
            sheet.paste(_sized(Image.fromarray(pixels), cell), (x * step, head + y * step))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=letters)
    for x, caption in enumerate(captions):
        pen.text((x * step + cell // 2, head // 2), caption, fill=_INK, font=font, anchor="mm")
    return sheet


def images_to_show(dataset: Dataset) -> Split:
    """Return the training images of a data set; of one without labels, its images, as if they had one label.

    Raises:
        DataError: they cannot be read.
    """
    from medssl_bench.datasets import Split

    if dataset.is_labelled:
        return dataset.load()["train"]
    found = dataset.load_unlabelled()
    return Split(found.images, np.zeros((len(found), 1), np.int64))


def varied_images(labels: NDArray[np.int64], images: int, seed: int = 0) -> NDArray[np.int64]:
    """Return the places of some images, of as many classes as there can be.

    Args:
        labels: (N, L) labels of the images to choose from.
        images: how many; all where there are fewer.
        seed: which ones.

    Returns:
        (n,) int64: first one of each class, in the order of the classes, then others. Those of a multi-label set are
        any.
    """
    from medssl_bench.datasets.budget import Budget
    from medssl_bench.datasets.label_draws import draw_labels

    images = min(images, len(labels))
    order = draw_labels(labels, Budget("count", len(labels)), seed)
    if labels.shape[1] > 1:
        return order[:images]
    first = {int(labels[place, 0]): place for place in reversed(order)}
    chosen = [first[number] for number in sorted(first)][:images]
    rest = [place for place in order if place not in set(chosen)]
    return np.array([*chosen, *rest][:images])


class HalfBlocks:
    """A picture for a rich console: two pixels to a character, narrowed to the console's width.

    Args:
        picture: what to show.
    """

    def __init__(self, picture: Image.Image) -> None:
        self.picture = picture.convert("RGB")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Yield upper half blocks whose foreground is the upper pixel and whose background is the lower one."""
        width = min(options.max_width, self.picture.width)
        height = max(1, round(self.picture.height * width / self.picture.width))
        narrowed = self.picture.resize((width, height + height % 2), Image.Resampling.BOX)
        pixels = np.asarray(narrowed)
        for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
            for above, below in zip(upper, lower, strict=True):
                yield Segment("▀", Style(color=_color(above), bgcolor=_color(below)))
            yield Segment.line()


def _color(pixel: NDArray[np.uint8]) -> Color:
    red, green, blue = (int(value) for value in pixel)
    return Color.from_rgb(red, green, blue)


def _sized(image: Image.Image, side: int) -> Image.Image:
    """Return an image at a size: enlarged pixel by pixel, or shrunk by averages."""
    shrinks = max(image.size) > side
    return image.resize((side, side), Image.Resampling.BOX if shrinks else Image.Resampling.NEAREST)


def _pixels(images: Any) -> NDArray[np.uint8]:
    """Return images as uint8 (N, H, W, 3)."""
    array = np.asarray(images.cpu() if hasattr(images, "cpu") else images)
    if array.ndim == 4 and np.issubdtype(array.dtype, np.floating):
        array = np.moveaxis((array.clip(0, 1) * 255).round().astype(np.uint8), 1, -1)
    elif array.ndim == 3 and array.dtype == np.uint8:
        array = array[..., None]
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[-1] not in {1, 3}:
        raise ValueError(
            f"{array.dtype} {array.shape} are not images; give uint8 (N, H, W[, 3]) or float (N, C, H, W) in [0, 1]"
        )
    return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:-1], 3)))
