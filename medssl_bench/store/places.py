"""What a record tells of the machine that it was made on, and a stranger need not know."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medssl_bench.store.record import Record

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def for_strangers(record: Record) -> Record:
    """Return a record without the name of the machine and its folders; key and identity stay, so it is the same result.

    Of a path that begins at the root of a file system, or in a home folder, the last part is left.
    """
    provenance = _cut(record.provenance)
    if "host" in provenance:
        provenance["host"] = None  # not left out: a record without a host may be of any machine, this one too
    return replace(
        record, provenance=provenance, spec=_cut(record.spec), cost=_cut(record.cost), reason=_cut(record.reason)
    )


def places_in(value: Any) -> Iterator[str]:
    """Yield the texts of JSON-able data that name a place of this machine."""
    if isinstance(value, dict):
        for item in value.values():
            yield from places_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from places_in(item)
    elif isinstance(value, str) and _cut(value) != value:
        yield value


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _cut(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_cut(item) for item in value]
    if not isinstance(value, str):
        return value
    if _WINDOWS.match(value):
        return PureWindowsPath(value).name
    if value.startswith(("/", "~/")):
        return PurePosixPath(value).name
    return value.replace(str(Path.home()), "~") if len(str(Path.home())) > 1 else value
