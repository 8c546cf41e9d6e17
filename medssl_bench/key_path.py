"""The path of a key in a TOML document, and how it is written."""

from __future__ import annotations

import json
import re

KeyPath = tuple[str | int, ...]
"""Keys and places in lists, from the outermost to the key itself."""


def key_text(path: KeyPath) -> str:
    """Return a path as TOML writes it: ``comparison[0].arm[1].evaluator``, ``dataset."my cells".path``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = re.fullmatch(r"[A-Za-z0-9_-]+", part)
            text += f"{'.' if text else ''}{part if bare else json.dumps(part, ensure_ascii=False)}"
    return text
