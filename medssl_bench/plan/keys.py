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
    text = json.dumps(_canonical(identity), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if type(value) in _PLAIN:  # asked first: nearly all values are, and a large plan has a million of them
        return value
    if isinstance(value, dict):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """Return what differs between two identities, as ``key: old -> new``."""
    old, new = _canonical(old), _canonical(new)
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for key in sorted(old.keys() | new.keys()):
            inner = f"{path}.{key}" if path else key
            found += differences(old.get(key), new.get(key), inner)
        return found
    return [] if old == new else [f"{path}: {_short(old)} -> {_short(new)}"]


def _short(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    if isinstance(value, str) and len(value) == 64:
        return value[:12]
    return text if len(text) <= 48 else f"{text[:45]}..."
