"""A figure of a report: what it shows, in words, and how it is drawn."""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.errors import FontWarning
from medssl_bench.figures.fonts import choose_fonts
from medssl_bench.figures.style import SAVING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
_UNDATED: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


_LONGEST = 120
"""Letters of a name; file systems take some 250 bytes."""


@dataclass(frozen=True)
class ReportFigure:
    """A figure of a report, drawn when it is needed.

    Attributes:
        id: unique in a report and safe as a file name: lower-case letters, digits and hyphens.
        title: heading, one line.
        caption: what is shown: data, arms, labels, seed and draw, n, and what a reader must be warned of.
        comparison: id of the comparison that it belongs to; None for one that several comparisons share.
        draw: draws it; takes up to minutes for embeddings.
    """

    id: str
    title: str
    caption: str
    comparison: str | None
    draw: Callable[[], Figure]

    def save(self, folder: Path, formats: Sequence[str] = FORMATS) -> list[Path]:
        """Draw the figure once and write it as `<id>.<format>`; the same figure gives the same bytes.

        Args:
            folder: where to; made if need be.
            formats: some of ``png`` (200 dots per inch), ``svg`` (text stays text) and ``pdf`` (fonts embedded).

        Returns:
            The files, in the order of `formats`.

        Raises:
            ValueError: a format is none of these.
        """
        for form in formats:
            if form not in _UNDATED:
                raise ValueError(f"{form!r} is no format of figures; give some of {', '.join(FORMATS)}")
        folder.mkdir(parents=True, exist_ok=True)
        drawn = self.draw()
        if missing := choose_fonts(drawn):
            text = f"no font of this machine has {missing!r}: figures show boxes; install one, such as Noto Sans CJK"
            warnings.warn(text, FontWarning, stacklevel=2)
        files = [folder / f"{self.id}.{form}" for form in formats]
        for file, form in zip(files, formats, strict=True):
            file.write_bytes(rendered(drawn, form))
        return files


def rendered(figure: Figure, form: str) -> bytes:
    """Return a drawn figure as the bytes of a ``png``, ``svg`` or ``pdf`` file, without dates or random identifiers."""
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)  # told by `save`
        mpl.rcdefaults()  # a file matplotlibrc of the working directory has settings too
        mpl.rcParams.update(SAVING)
        figure.savefig(buffer, format=form, metadata=_UNDATED[form])
    return buffer.getvalue()


def slug(*words: str) -> str:
    """Return words as one file-name-safe name of lower-case letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", " ".join(words)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST].strip("-") or "figure"
