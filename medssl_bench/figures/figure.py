"""A figure of a report: what it shows, in words, and how it is drawn."""

from __future__ import annotations

import io
import os
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.errors import FontWarning
from medssl_bench.figures.fonts import choose_fonts, told_missing
from medssl_bench.figures.style import SAVING, mark_above

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

    from medssl_bench.figures.embedding_map import EmbeddingMap

FORMATS = ("png", "svg", "pdf")
_UNDATED: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


_LONGEST = 120
"""Letters of a name; file systems take some 250 bytes."""


@dataclass(frozen=True)
class Rendered:
    """A figure as bytes.

    Attributes:
        contents: of the files, by format.
        missing: letters that no font of this machine has.
    """

    contents: dict[str, bytes]
    missing: str


@dataclass(frozen=True)
class ReportFigure:
    """A figure of a report, drawn when it is needed.

    Attributes:
        id: unique in a report and safe as a file name: lower-case letters, digits and hyphens.
        title: heading, one line.
        caption: what is shown: data, arms, labels, seed and draw, n, and what a reader must be warned of.
        comparison: id of the comparison that it belongs to; None for one that several comparisons share.
        draw: draws it; takes up to minutes for maps that nothing has kept.
        marks: what a reader must know even of the picture alone, such as that the data are generated; drawn above it.
        maps: the maps it shows; once they are kept, drawing computes nothing.
        only_here: whether it can only be drawn by the process that made it, as it needs the suite's plugins.
    """

    id: str
    title: str
    caption: str
    comparison: str | None
    draw: Callable[[], Figure]
    marks: tuple[str, ...] = ()
    maps: tuple[EmbeddingMap, ...] = ()
    only_here: bool = False

    def render(self, formats: Sequence[str] = FORMATS) -> Rendered:
        """Draw the figure once and return its files' bytes; the same figure gives the same bytes.

        Args:
            formats: some of ``png`` (200 dots per inch), ``svg`` (text stays text) and ``pdf`` (fonts embedded).

        Raises:
            ValueError: a format is none of these.
        """
        require_formats(formats)
        drawn = self.draw()
        missing = choose_fonts(drawn)
        box = arranged(drawn, self.marks)
        return Rendered({form: rendered(drawn, form, box) for form in formats}, missing)

    def save(self, folder: Path, formats: Sequence[str] = FORMATS) -> list[Path]:
        """Draw the figure once and write it as `<id>.<format>`.

        Args:
            folder: where to; made if need be.
            formats: as of `render`.

        Returns:
            The files, in the order of `formats`.

        Raises:
            ValueError: a format is none of these.
        """
        return self.write(self.render(formats), folder)

    def write(self, found: Rendered, folder: Path) -> list[Path]:
        """Write a rendered figure, each file whole or not at all; a warning names letters without a font."""
        folder.mkdir(parents=True, exist_ok=True)
        if found.missing:
            warnings.warn(told_missing(found.missing), FontWarning, stacklevel=2)
        files = [folder / f"{self.id}.{form}" for form in found.contents]
        for file, content in zip(files, found.contents.values(), strict=True):
            part = file.with_name(f".{file.name}.{os.getpid()}.part")
            try:
                part.write_bytes(content)
                part.replace(file)
            finally:
                part.unlink(missing_ok=True)
        return files


def require_formats(formats: Sequence[str]) -> None:
    """Raise an error unless all of these are formats of figures.

    Raises:
        ValueError: one is not.
    """
    for form in formats:
        if form not in FORMATS:
            raise ValueError(f"{form!r} is no format of figures; give some of {', '.join(FORMATS)}")


def arranged(figure: Figure, marks: Sequence[str] = ()) -> Bbox:
    """Arrange the parts of a drawn figure, for good, and put what a reader must know above them.

    Args:
        figure: drawn, and with its fonts.
        marks: such as ``generated data``; may be empty.

    Returns:
        What holds everything, with a small margin, in inches.
    """
    with _saving():
        figure.set_dpi(SAVING["savefig.dpi"])
        if engine := figure.get_layout_engine():
            engine.execute(figure)
            figure.set_layout_engine(None)  # once is enough: it takes as long as to write a file
        box = figure.get_tightbbox()
        if marks:
            above = mark_above(figure, marks, box)
            box = box.union([box, above.get_window_extent().transformed(figure.dpi_scale_trans.inverted())])
        return box.padded(SAVING["savefig.pad_inches"])


def rendered(figure: Figure, form: str, box: Bbox | None = None) -> bytes:
    """Return a drawn figure as the bytes of a ``png``, ``svg`` or ``pdf`` file, without dates or random identifiers.

    Args:
        figure: the figure.
        form: the format.
        box: the part of it to write, in inches; None: all that is drawn.
    """
    buffer = io.BytesIO()
    with _saving():
        figure.savefig(buffer, format=form, metadata=_UNDATED[form], bbox_inches=box)
    return buffer.getvalue()


@contextmanager
def _saving() -> Iterator[None]:
    """Have the settings of saving, whatever those of the process are, and leave those alone."""
    import matplotlib as mpl

    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)  # told by `write`
        mpl.rcdefaults()  # a file matplotlibrc of the working directory has settings too
        mpl.rcParams.update(SAVING)
        yield


def slug(*words: str) -> str:
    """Return words as one file-name-safe name of lower-case letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", " ".join(words)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST].strip("-") or "figure"
