"""Which patient an image of a folder is of, where the names of files or folders show it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORDS = "patient|pat|subject|subj|sub|case|donor|person|participant|mouse|animal|pid"

PATTERNS = (
    rf"(?i)(?:^|[/_. -])((?:{_WORDS})[ _-]?[0-9]+)(?![0-9])",
    r"(?:^|[/_. -])([pP][0-9]+)(?=[/_. -])",
)
"""What a path has in it: ``patient_7``, ``case12``; or ``p07``, with a mark on either side."""


def group_pattern(names: Sequence[str]) -> tuple[str | None, str]:
    """Return a regular expression that finds the patient in each path, or None; and a line for people.

    Args:
        names: paths of the images below the folder.
    """
    for pattern in PATTERNS:
        search = re.compile(pattern).search
        found = [match[1] for name in names if (match := search(name))]
        if len(found) == len(names) and 1 < len(set(found)) < len(found):
            line = f"groups: {len(set(found)):,} by names such as {found[0]!r}; --group REGEX says another pattern"
            return pattern, line
    line = "groups: no names of patients in the paths; where one has several images, --group REGEX keeps them together"
    return None, line
