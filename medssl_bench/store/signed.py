"""JSON texts that carry the SHA-256 of themselves, so that what was altered is not taken for what was written."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from medssl_bench.store.reading import parse_json

_DIGEST = re.compile(r'\{\n "digest": "([0-9a-f]{64})",')


def signed(data: dict[str, Any]) -> str:
    """Return data as JSON text, whose first field is the SHA-256 of the text without that field."""
    text = json.dumps(data, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"
    return f'{{\n "digest": "{_digest(text)}",{text[1:]}'


def read_signed(text: str) -> tuple[dict[str, Any], bool]:
    """Return the data of a JSON text, and whether it had a digest: older versions wrote none.

    Raises:
        ValueError: it is no table, or not the one that was written.
    """
    found = _DIGEST.match(text)
    if found:
        text = "{" + text[found.end() :]
        if _digest(text) != found[1]:
            raise ValueError("its digest is another")
    data = parse_json(text)
    if not isinstance(data, dict):
        raise ValueError("it is no table")
    return data, found is not None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
