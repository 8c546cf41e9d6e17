"""Which arrays of a file of features say which image a row is of."""

from __future__ import annotations

import re

_SAYS_WHICH = re.compile(
    r"(image|img|file|sample|row)?_?(id|idx|index|indice|indices|name|file|filename|path|key|uid)s?"
)
"""Usual names of an array, or a column, that says which image a row is of; `names` is the one that is read."""


def says_which(name: str) -> bool:
    """Return whether an array or a column seems to say which image a row is of, under a name that is not read."""
    return _SAYS_WHICH.fullmatch(name.lower()) is not None
