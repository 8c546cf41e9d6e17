"""Content keys of stages, and what of their identities differs."""

from __future__ import annotations

import json
from typing import Any

from medssl_bench.store.keys import canonical, content_key

__all__ = ["content_key", "differences"]


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """Return what differs between two identities, as ``key: old -> new``."""
    old, new = canonical(old), canonical(new)
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
