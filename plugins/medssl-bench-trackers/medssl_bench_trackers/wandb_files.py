"""Reads what W&B has written offline: records of its protocol, in files that are laid out as LevelDB's logs are.

W&B has no reader of its own that Python can call. It holds back what it writes, so that the end is missing of a process
that was killed; what is there is whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_BEGIN = 7
"""Bytes before the first record: ``:W&B``, a magic number and the version."""

_BLOCK = 2**15
_HEAD = struct.Struct("<IHB")
_WHOLE, _FIRST, _LAST = 1, 2, 4


def records(file: Path) -> Iterator[Any]:
    """Yield the records of a file ``run-ID.wandb``, as far as they are whole.

    See https://github.com/google/leveldb/blob/main/doc/log_format.md.
    """
    from wandb.proto.wandb_internal_pb2 import Record

    data = file.read_bytes()
    place, parts = _BEGIN, b""
    while place + _HEAD.size <= len(data):
        left = _BLOCK - place % _BLOCK
        if left < _HEAD.size:  # too little for a head: zeros up to the next block
            place += left
            continue
        _, length, kind = _HEAD.unpack_from(data, place)
        place += _HEAD.size
        if place + length > len(data) or kind not in range(_WHOLE, _LAST + 1):
            return
        parts = (b"" if kind in {_WHOLE, _FIRST} else parts) + data[place : place + length]
        place += length
        if kind in {_WHOLE, _LAST}:
            yield Record.FromString(parts)


def name_of(item: Any) -> str:
    """Return the name of an item of a history or a summary."""
    return item.key or ".".join(item.nested_key)
