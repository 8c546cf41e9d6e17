"""The two readings of the thesis: what its text says, and what its public code did."""

from __future__ import annotations

from typing import Literal, TypeVar

Reading = Literal["text", "code"]
"""``text``: the thesis as printed. ``code``: the public repository j-freddy/simclr-medical-imaging at commit 0b42814,
from which the published numbers came. Where the text is no workable specification (the crop, the table of the
equalisation), both follow the code, and a parameter gives the other."""

_Value = TypeVar("_Value")


def chosen(given: _Value | None, reading: Reading, *, text: _Value, code: _Value) -> _Value:
    """Return the value that was given, or else that of the reading."""
    if given is not None:
        return given
    return text if reading == "text" else code
