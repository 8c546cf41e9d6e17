"""Content keys: the SHA-256 of what decides a stage's result, in a canonical text."""

from __future__ import annotations

import hashlib
import json
from typing import Any

_PLAIN = frozenset({str, int, bool, type(None)})


def content_key(identity: dict[str, Any]) -> str:
    """Return the content key of an identity: 64 hexadecimal digits.

    The order of keys does not matter, and a whole number is the same written as integer or float.
    """
    text = json.dumps(canonical(identity), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(value: Any) -> Any:
    """Return JSON-able data in the form that is hashed."""
    if type(value) in _PLAIN:  # asked first: nearly all values are, and a large plan has a million of them
        return value
    if isinstance(value, dict):
        return {str(key): canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
