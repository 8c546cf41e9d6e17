"""How figures look: sizes, colours, markers."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

_Given = ParamSpec("_Given")

COLUMN = 3.3
"""Width of a column of text, in inches."""

PAGE = 6.9
"""Width of a page of text, in inches."""

YELLOW = "#F0E442"
"""The last colour of the palette, which needs an edge on white."""

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", YELLOW)
"""Colours that readers with colour-blindness tell apart (Okabe and Ito 2008)."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":")
GREY = "#767676"
PALE = 0.3
"""Opacity of raw curves behind smoothed ones."""

_DRAWING: Any = {  # keyed by names that each release of matplotlib types again
    "font.family": "DejaVu Sans",
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.titley": 1.0,  # nothing stands above a panel that matplotlib would have to look for
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "#404040",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 100,
    "text.usetex": False,
    "text.parse_math": False,  # a dollar sign in the name of an arm is a dollar sign
}

SAVING: Any = {
    **_DRAWING,
    "savefig.dpi": 200,
    "savefig.bbox": "tight",  # no margins, and nothing cut off
    "savefig.pad_inches": 0.03,
    "svg.fonttype": "none",
    "svg.hashsalt": "medssl-bench",
    "pdf.fonttype": 42,
}
"""Settings while a figure is written: text stays text, fonts are embedded, identifiers are not random."""


class Look(NamedTuple):
    """Colour, marker and line of one of several things."""

    colour: str
    marker: str
    line: str


def look(number: int) -> Look:
    """Return the look of the `number`-th thing; beyond the palette colours come again with other markers and lines."""
    turn, place = divmod(number, len(PALETTE))
    return Look(PALETTE[place], MARKERS[(place + turn) % len(MARKERS)], LINES[turn % len(LINES)])


def looks(names: Iterable[str]) -> dict[str, Look]:
    """Return a look for each name, in order."""
    return {name: look(number) for number, name in enumerate(dict.fromkeys(names))}


def styled(draw: Callable[_Given, Figure]) -> Callable[_Given, Figure]:
    """Make a function draw in this style, whatever the settings of the process are, and leave those alone."""

    @wraps(draw)
    def draw_styled(*args: _Given.args, **kwargs: _Given.kwargs) -> Figure:
        import matplotlib as mpl

        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(_DRAWING)
            return draw(*args, **kwargs)

    return draw_styled


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches, which arranges its parts itself."""
    from medssl_bench.figures.shown import ShownFigure

    return ShownFigure(figsize=(width, height), layout="constrained")


def legend_below(figure: Figure, handles: Mapping[str, Artist], *, markerscale: float = 1) -> None:
    """Put a legend below everything, where it covers no data, in as many columns as there is room for, four at most.

    The figure grows by as much.

    Args:
        figure: where to.
        handles: what to show, by name.
        markerscale: by how much markers are larger than in the figure.
    """
    if not handles:
        return
    width, height = figure.get_size_inches()
    room = width / (0.056 * max(map(len, handles)) + 0.5)  # inches that a letter and a handle take
    columns = max(1, min(4, len(handles), int(room)))
    figure.set_size_inches(width, height + 0.1 + 0.14 * -(-len(handles) // columns))
    figure.legend(
        list(handles.values()),
        list(handles),
        loc="outside lower center",
        ncols=columns,
        markerscale=markerscale,
    )


def mark_above(figure: Figure, marks: Sequence[str], box: Bbox) -> Text:
    """Put what a reader must know above everything, small and at the left, and return the text.

    Args:
        figure: where to; it is arranged already.
        marks: such as ``generated data``.
        box: what is drawn so far, in inches.
    """
    width, height = figure.get_size_inches()
    text = wrapped(" — ".join(marks), int(box.width / 0.048))  # inches that a letter takes
    place = box.x0 / width, (box.y1 + 0.05) / height
    return figure.text(*place, text, va="bottom", fontsize=6, color=GREY, fontfamily=_DRAWING["font.family"])


def columns_of(panels: int) -> int:
    """Return how many of some panels stand side by side: at most three, and four as two by two."""
    return 2 if panels == 4 else min(panels, 3)


def wrapped(text: str, width: int) -> str:
    """Return a heading in lines of at most `width` characters, as long as its words are no longer."""
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


def shortened(text: str, most: int) -> str:
    """Return a text of at most `most` characters, cut with an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
