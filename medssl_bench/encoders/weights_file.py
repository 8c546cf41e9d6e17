"""Whether a file of weights is whole, and one of safetensors, seen without reading the weights."""

from __future__ import annotations

import json
import math
import zipfile
from typing import TYPE_CHECKING, Any

from medssl_bench.encoders.json_file import json_table

if TYPE_CHECKING:
    from pathlib import Path

_LENGTH = 8
"""Bytes of the number, little-endian, that says how long the header is."""

_LONGEST = 100_000_000
"""Bytes of a header, as safetensors itself has it."""

_UNPICKLED = {b"PK": "a zip, as torch.save writes", b"\x80": "a pickle"}
"""How files begin that are often mistaken for one of safetensors; reading them could run code."""

_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
"""Bytes of an element; of other types nothing is checked."""


def require_safetensors(path: Path) -> set[str]:
    """Check the header of a file of weights, whose tensors follow each other and fill the file; return their names.

    The format is that of https://github.com/huggingface/safetensors#format.

    Raises:
        ValueError: it is no safetensors file, or a damaged one.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(_LENGTH)
        length = int.from_bytes(start, "little")
        if len(start) < _LENGTH or length > min(size - _LENGTH, _LONGEST):
            raise ValueError(_other(start))
        tensors = _header(file.read(length))
    end = 0
    for name, (first, last) in sorted(tensors.items(), key=lambda item: item[1]):
        if first != end or last < first:
            raise ValueError(f"a damaged safetensors file: {name!r} does not begin where the tensor before it ends")
        end = last
    if end != size - _LENGTH - length:
        raise ValueError(
            f"a damaged safetensors file: its header declares {end:,} bytes, it holds {size - _LENGTH - length:,}"
        )
    return set(tensors)


def require_whole(path: Path) -> None:
    """Check that a file of a model which was downloaded, or copied, has its end: of weights, or JSON.

    Raises:
        ValueError: it is damaged, or another file.
        OSError: it cannot be read.
    """
    if path.suffix == ".safetensors":
        require_safetensors(path)
        return
    if path.suffix == ".json":
        json_table(path)
        return
    with path.open("rb") as file:
        start = file.read(_LENGTH)
    if not start:
        raise ValueError("it is empty")
    if start.lstrip().startswith(b"<"):
        raise ValueError("this is a web page, not a file of weights")
    if start.startswith(b"PK") and not zipfile.is_zipfile(path):
        raise ValueError("a damaged file of torch.save: its end is missing")


def _other(start: bytes) -> str:
    """Return what a file that begins so is."""
    for beginning, what in _UNPICKLED.items():
        if start.startswith(beginning):
            return (
                f"this is no safetensors file but {what}, which can run code and is not read; "
                f"'medssl-bench import' takes the encoder out of it"
            )
    if start.startswith(b"{"):
        return "this is JSON and no safetensors file; the name of an index of shards ends with .index.json"
    return "this is no safetensors file, or a damaged one: it has no header"


def _header(text: bytes) -> dict[str, tuple[int, int]]:
    """Return where each tensor begins and ends."""
    try:
        header: dict[str, Any] = json.loads(text.decode("utf-8"))
        header.pop("__metadata__", None)
        return {name: _place(name, about) for name, about in header.items()}
    except (TypeError, KeyError, AttributeError, UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise ValueError("this is no safetensors file, or a damaged one: its header cannot be read") from None


def _place(name: str, about: dict[str, Any]) -> tuple[int, int]:
    (first, last), shape = about["data_offsets"], about["shape"]
    size = math.prod(shape) * _BYTES.get(about["dtype"], 0)
    if min(shape, default=0) < 0 or (about["dtype"] in _BYTES and size != last - first):
        raise ValueError(f"a damaged safetensors file: {name!r} is not as large as its shape {tuple(shape)} says")
    return first, last
