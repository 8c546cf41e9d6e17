"""Which images of a folder belong together, as their paths say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from medssl_bench.errors import DataError, quoted

if TYPE_CHECKING:
    from medssl_bench.datasets.folder.listing import Listing

_NAMED = 3
"""How many paths a message names."""


def _checked(pattern: str | None) -> str | None:
    if pattern is None:
        return None
    try:
        brackets = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
    if brackets != 1:
        raise ValueError(
            f"{pattern!r} has {brackets} groups in brackets; one is needed, around the name of the patient: "
            f"'(p[0-9]+)_'; brackets that only hold together are written (?:...)"
        )
    return pattern


GroupPattern = Annotated[str | None, AfterValidator(_checked)]
"""A regular expression with one group in brackets."""


def group_names(listing: Listing, pattern: str, *, may_lack: bool = False) -> list[str]:
    """Return the name of the group of each image: what the brackets of a pattern match, first, in its path.

    Args:
        listing: the images.
        pattern: a regular expression with one group, searched in the path below the root, with forward slashes.
        may_lack: whether no path may match at all; then there are no names.

    Raises:
        DataError: paths do not match, or the group matches nothing.
    """
    search = re.compile(pattern).search
    found = [(match and match[1]) or "" for match in map(search, listing.names)]
    missing = [name for name, group in zip(listing.names, found, strict=True) if not group]
    if may_lack and len(missing) == len(found):
        return []
    if missing:
        more = " ..." if len(missing) > _NAMED else ""
        raise DataError(
            f"{listing.root}: groups = {pattern!r} finds no group in {len(missing):,} of {len(found):,} paths: "
            f"{quoted(missing[:_NAMED])}{more}; write a pattern that each path matches"
        )
    return found
