"""What a figure is saved as."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from medssl_bench.figures.figure import ReportFigure, slug
from medssl_bench.figures.style import new_figure, styled


@styled
def _draw(colour: str = "#0072B2"):
    figure = new_figure(3.3, 2)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=colour, label="costs $5 & 10 %")
    axes.set_title("costs $5 or $6")
    axes.legend()
    return figure


FIGURE = ReportFigure("a-figure", "A figure", "Shown.", None, _draw)


def test_it_is_drawn_once_and_written_in_every_format(tmp_path: Path) -> None:
    drawn = []
    figure = ReportFigure("a-figure", "A figure", "Shown.", None, lambda: drawn.append(1) or _draw())
    files = figure.save(tmp_path / "new" / "folder")
    assert [file.name for file in files] == ["a-figure.png", "a-figure.svg", "a-figure.pdf"]
    assert drawn == [1]
    with Image.open(files[0]) as picture:
        assert 600 < picture.width <= 670, "3.3 inches at 200 dots, margins cut off"
    assert files[2].read_bytes().startswith(b"%PDF")


def test_the_same_figure_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = FIGURE.save(tmp_path / "a"), FIGURE.save(tmp_path / "b")
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]


def test_marks_stand_above_everything(tmp_path: Path) -> None:
    marked = replace(FIGURE, marks=("generated data", "SCALED: epochs x 0.1, not comparable with a full run"))
    (plain,), (file,) = FIGURE.save(tmp_path / "plain", ["png"]), marked.save(tmp_path, ["png"])
    with Image.open(plain) as before, Image.open(file) as after:
        assert 0 <= after.width - before.width <= 2
        added = after.height - before.height
        assert 20 < added < 80
        assert (np.asarray(after.convert("L"))[: added - 6] < 160).any()
        below = np.asarray(after.convert("L"))[added:, : before.width].astype(int)
        assert np.abs(below - np.asarray(before.convert("L")))[:, :].mean() < 12, "the figure itself is as it was"
    (drawing,) = marked.save(tmp_path, ["svg"])
    assert "generated data — SCALED" in drawing.read_text("utf-8")


def test_text_stays_text_and_a_dollar_a_dollar(tmp_path: Path) -> None:
    (file,) = FIGURE.save(tmp_path, ["svg"])
    text = file.read_text("utf-8")
    assert "costs $5 or $6" in text
    assert "costs $5 &amp; 10 %" in text
    assert "<dc:date>" not in text


def test_fonts_are_embedded_as_truetype(tmp_path: Path) -> None:
    (file,) = FIGURE.save(tmp_path, ["pdf"])
    content = file.read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content
    assert b"CreationDate" not in content


def test_settings_of_the_process_neither_matter_nor_change(tmp_path: Path) -> None:
    (plain,) = FIGURE.save(tmp_path / "a", ["png"])
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "savefig.dpi": 50, "axes.facecolor": "red"}):
        (other,) = FIGURE.save(tmp_path / "b", ["png"])
        assert mpl.rcParams["font.size"] == 30
    assert plain.read_bytes() == other.read_bytes()


def test_another_format_is_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'gif' is no format of figures; give some of png, svg, pdf"):
        FIGURE.save(tmp_path / "none", ["png", "gif"])
    assert not (tmp_path / "none").exists()


@given(st.lists(st.text(), max_size=3))
def test_a_slug_is_a_file_name(words: list[str]) -> None:
    found = slug(*words)
    assert found
    assert set(found) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not found.startswith("-")


def test_slugs_keep_what_can_be_read() -> None:
    assert slug("main", "10/class & é") == "main-10-class-e"
    assert slug("", "…") == "figure"
    assert slug("a" * 119, "b" * 300) == "a" * 119
