"""What public encoders were trained on. Importing this module imports no torch."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.encoders.given_weights import OTHER_LIBRARIES
from medssl_bench.encoders.hub_names import is_hub_name, repository_of

if TYPE_CHECKING:
    from pydantic import JsonValue

    from medssl_bench.plugin.component import Component

_TABLE = Path(__file__).with_name("trained_on.json")
_OF_TIMM = "timm/"
"""The organisation whose repositories have timm's own names and tags."""


def trained_on(encoder: Component) -> tuple[str, ...]:
    """Return the names of the data sets that an encoder's given weights, or features, were trained on.

    They are what the suite says (``trained_on``); else what our table says of the public model.

    Args:
        encoder: any; of one that begins with random weights, nothing is known.
    """
    given = encoder.parameters
    if given.get("weights") == "scratch" and not given.get("weights_file"):  # also the floor of an encoder with weights
        return ()
    if (told := given.get("trained_on")) is not None:
        return tuple(told)
    if encoder.plugin != "encoders" or given.get("weights") != "pretrained":
        return ()
    overlay = (given.get("options") or {}).get("pretrained_cfg_overlay") or {}
    repository = given.get("model") if encoder.name in OTHER_LIBRARIES else overlay.get("hf_hub_id")
    return known_training(f"hf-hub:{repository}" if repository else str(given.get("model", encoder.name)))[0]


@cache
def known_training(model: str) -> tuple[tuple[str, ...], str]:
    """Return what our table says that a public model was trained on, and its source; empty where it says nothing.

    Args:
        model: timm's name with the tag of its weights, whose words are the data sets from the last training to the
            first or the other way, or ``hf-hub:ORGANISATION/MODEL``.
    """
    name = repository_of(model).partition("@")[0] if is_hub_name(model) else model
    rows = _rows()
    if row := next((row for row in rows if row.get("repository") == name), None):
        return tuple(row["data"]), str(row["source"])
    if is_hub_name(model) and not name.startswith(_OF_TIMM):
        return (), ""
    words = re.split(r"[_.]", name.partition(".")[2])
    found = [row for word in words for row in rows if row.get("tag") == word]
    data = dict.fromkeys(name for row in found for name in row["data"])
    return tuple(data), "; ".join(dict.fromkeys(str(row["source"]) for row in found))


def known_repositories(library: str) -> list[str]:
    """Return the repositories of hubs in our table whose models a library loads: ``timm``, ``transformers``, ..."""
    return [row["repository"] for row in _rows() if row.get("library") == library]


@cache
def _rows() -> list[dict[str, Any]]:
    found: JsonValue = json.loads(_TABLE.read_text("utf-8"))
    assert isinstance(found, list)
    return [row for row in found if isinstance(row, dict)]
