"""Fonts for names in any script: matplotlib's own font has no Chinese, Japanese, Korean, Arabic or Indian letters."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BASIC = "DejaVu Sans"
"""The font that comes with matplotlib."""

_NO_LETTERS = "Last Resort"
"""A font that has a box for every letter."""


def told_missing(letters: str) -> str:
    """Return what a user should know of letters that no font of this machine has."""
    return f"no font of this machine has {letters!r}: figures show boxes; install one, such as Noto Sans CJK"


def choose_fonts(figure: Figure) -> str:
    """Give every text of a figure fonts of this machine that have its letters.

    Args:
        figure: drawn, not yet saved.

    Returns:
        The letters that no font of this machine has, each once; they are shown as boxes, but stay text in SVG.
    """
    from matplotlib.text import Text

    missing: set[str] = set()
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        odd = frozenset(
            letter for letter in text.get_text() if ord(letter) not in _letters_of(BASIC) and letter != "\n"
        )
        if odd:
            families, without = _families(odd)
            text.set_fontfamily([BASIC, *families])
            missing |= without
    return "".join(sorted(missing))


@lru_cache(maxsize=256)
def _families(letters: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return families that have some letters, as few as it takes in turn, and the letters that none has."""
    chosen: list[str] = []
    left = set(letters)
    while left:
        counts = {name: sum(ord(letter) in _letters_of(name) for letter in left) for name in _installed()}
        best = max(counts, key=lambda name: counts[name], default=None)  # of equals the first by name
        if best is None or not counts[best]:
            break
        chosen.append(best)
        left = {letter for letter in left if ord(letter) not in _letters_of(best)}
    return tuple(chosen), frozenset(left)


def _installed() -> Iterable[str]:
    from matplotlib.font_manager import fontManager

    return sorted({font.name for font in fontManager.ttflist if not font.name.startswith(_NO_LETTERS)})


@lru_cache(maxsize=4096)
def _letters_of(family: str) -> frozenset[int]:
    """Return the code points that the upright font of a family has."""
    from matplotlib.font_manager import FontProperties, findfont
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(findfont(FontProperties(family=family), fallback_to_default=False)).get_charmap())
    except (OSError, RuntimeError, ValueError):  # a file that has gone, or that matplotlib cannot read
        return frozenset()
