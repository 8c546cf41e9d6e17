"""Names in scripts that matplotlib's own font does not have."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure

from medssl_bench.errors import FontWarning
from medssl_bench.figures import fonts
from medssl_bench.figures.figure import ReportFigure, rendered

CLASSES = ("良性", "悪性", "양성")


@pytest.fixture
def font(tmp_path: Path) -> Iterator[str]:
    """A font, made here, that has the letters of the class names: each a black square."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    letters = sorted(set("".join(CLASSES)))
    names = [".notdef", *(f"uni{ord(letter):04X}" for letter in letters)]
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 700), (700, 700), (700, 0)):
        pen.lineTo(point)
    pen.closePath()
    square = pen.glyph()
    builder = FontBuilder(1000)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(letter): name for letter, name in zip(letters, names[1:], strict=True)})
    builder.setupGlyf(dict.fromkeys(names, square))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (800, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Squares", "styleName": "Regular", "uniqueFontIdentifier": "squares"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "squares.ttf")
    before = list(font_manager.fontManager.ttflist)
    font_manager.fontManager.addfont(tmp_path / "squares.ttf")
    fonts._families.cache_clear()
    yield "Squares"
    font_manager.fontManager.ttflist[:] = before
    fonts._families.cache_clear()


def _figure(*texts: str) -> Figure:
    figure = Figure(figsize=(2, 1))
    for place, text in enumerate(texts):
        figure.text(0.1, 0.1 + 0.3 * place, text)
    return figure


def _saved(figure: Figure, folder: Path) -> Path:
    return ReportFigure("f", "t", "c", None, lambda: figure).save(folder, ["png"])[0]


def test_letters_come_from_a_font_that_has_them(font: str, tmp_path: Path) -> None:
    figure = _figure("benign", *CLASSES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _saved(figure, tmp_path)
    assert [text.get_fontfamily() for text in figure.texts] == [["sans-serif"], *[[fonts.BASIC, font]] * 3]


def test_the_letters_are_drawn(font: str) -> None:
    import io

    from PIL import Image

    def dark(text: str) -> int:
        figure = _figure(text)
        fonts.choose_fonts(figure)
        return int((np.asarray(Image.open(io.BytesIO(rendered(figure, "png"))).convert("L")) < 128).sum())

    assert dark("良性") > 3 * dark("-"), "two black squares"
    assert dark("良性") == pytest.approx(dark("悪性"), rel=0.1)


def test_letters_that_no_font_has_are_told_once(tmp_path: Path) -> None:
    odd = "\U0010fffd"  # for private use: no font has it
    assert fonts.choose_fonts(_figure(odd)) == odd
    with pytest.warns(FontWarning, match="no font of this machine has") as told:
        _saved(_figure(odd, f"a{odd}", "plain"), tmp_path)
    assert len(told) == 1
