"""Tables of JSON beside weights, such as the configuration of a model. Importing this module imports no torch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def json_table(file: Path) -> dict[str, Any]:
    """Return what a file of JSON holds.

    Raises:
        ValueError: it is no table of JSON.
        OSError: it cannot be read.
    """
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"this is no JSON ({error})") from error
    if not isinstance(found, dict):
        raise ValueError("this is no table of JSON")
    return found
