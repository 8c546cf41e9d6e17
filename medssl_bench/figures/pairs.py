"""A contact sheet of pairs of images that show the same, the second turned as the first lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from medssl_bench.datasets.turns import turned

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

_PAPER, _INK = (255, 255, 255), (64, 64, 64)
_COLUMNS = 6
_LEAST = 84
"""Side of a cell in pixels of the sheet, at least; small images are enlarged pixel by pixel."""

_GAP, _LINE = 2, 13


def pairs_sheet(
    pairs: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8], int]], captions: Sequence[Sequence[str]]
) -> Image.Image:
    """Return an RGB picture of pairs side by side, with lines of text below each.

    Args:
        pairs: two images, (S, S) or (S, S, 3), and how the second is turned; at least one pair.
        captions: lines for each pair, the same number for all.
    """
    size = pairs[0][0].shape[0]
    cell = size * max(1, -(-_LEAST // size))
    wide, high = 2 * cell + 3 * _GAP + 8, cell + 2 * _GAP + _LINE * len(captions[0])
    columns = min(_COLUMNS, len(pairs))
    sheet = Image.new("RGB", (columns * wide, -(-len(pairs) // columns) * high), _PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=_LINE - 3)
    for place, ((first, second, turn), lines) in enumerate(zip(pairs, captions, strict=True)):
        left, top = place % columns * wide + _GAP, place // columns * high + _GAP
        for image, x in ((first, left), (turned(second, turn), left + cell + _GAP)):
            drawn = Image.fromarray(image.copy()).resize((cell, cell), Image.Resampling.NEAREST)
            sheet.paste(drawn.convert("RGB"), (x, top))
        for number, line in enumerate(lines):
            pen.text((left, top + cell + number * _LINE), _fitting(line, font, wide - 2 * _GAP), fill=_INK, font=font)
    return sheet


def stacked(sheets: Sequence[Image.Image]) -> Image.Image:
    """Return sheets below each other."""
    whole = Image.new("RGB", (max(sheet.width for sheet in sheets), sum(sheet.height for sheet in sheets)), _PAPER)
    top = 0
    for sheet in sheets:
        whole.paste(sheet, (0, top))
        top += sheet.height
    return whole


def _fitting(text: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, width: int) -> str:
    """Return a text without its middle, where it is wider than its place."""
    letters = len(text)
    while letters > 4 and font.getlength(_middle_out(text, letters)) > width:
        letters = min(letters - 1, int(letters * width / font.getlength(_middle_out(text, letters))) + 1)
    return _middle_out(text, letters)


def _middle_out(text: str, letters: int) -> str:
    half = letters // 2
    return text if letters >= len(text) else f"{text[:half]}…{text[-half:]}"
