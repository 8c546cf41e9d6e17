"""Weights in several files, as transformers saves large models: an index says which of them has which tensor.

The index is JSON, ``{"weight_map": {"name of a tensor": "model-00001-of-00002.safetensors", ...}}``, as in
https://huggingface.co/docs/transformers/big_models. Importing this module imports no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medssl_bench.encoders.json_file import json_table
from medssl_bench.encoders.weights_file import require_safetensors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

INDEX = ".index.json"
"""How the name of an index ends."""


def require_weights(file: Path) -> None:
    """Check the headers of a safetensors file, or of all shards of an index, which must have the tensors it names.

    Raises:
        ValueError: it is no safetensors file and no index, it is damaged, or a shard is missing.
        OSError: it cannot be read.
    """
    if not file.name.endswith(INDEX):
        require_safetensors(file)
        return
    for shard in shards_of(file):
        try:
            there = require_safetensors(shard)
        except ValueError as error:
            raise ValueError(f"{shard.name}: {error}") from error
        if lacking := [name for name, where in _map(file).items() if where == shard.name and name not in there]:
            raise ValueError(f"{shard.name} lacks {len(lacking)} of the tensors that this index names ({lacking[0]})")


def shards_of(file: Path) -> list[Path]:
    """Return the shards that an index names; of a file that is none, nothing.

    Raises:
        ValueError: it names none, or one that is not beside it.
        OSError: it cannot be read.
    """
    names = shard_names(file)
    missing = [name for name in names if not file.with_name(name).is_file()]
    if missing:
        raise ValueError(f"{missing[0]}, one of its {len(names)} shards, is not beside it; fetch it too")
    return [file.with_name(name) for name in names]


def shard_names(file: Path) -> list[str]:
    """Return the names of the shards of an index, here or not; of a file that is none, nothing.

    Raises:
        ValueError: it names none.
        OSError: it cannot be read.
    """
    return sorted(set(_map(file).values())) if file.name.endswith(INDEX) else []


def all_tensors(file: Path, read: Callable[[Path], Mapping[str, Any]]) -> dict[str, Any]:
    """Return the tensors of a file of weights, or of all shards of an index.

    Args:
        file: the file, or the index.
        read: reads one file.

    Raises:
        ValueError: as of `shards_of`, and what `read` raises.
        OSError: it cannot be read.
    """
    return {name: value for each in shards_of(file) or [file] for name, value in read(each).items()}


def _map(file: Path) -> dict[str, str]:
    found = json_table(file).get("weight_map")
    if not isinstance(found, dict) or not found:
        raise ValueError("this is no index of shards: it has no weight_map")
    for name in found.values():
        if not isinstance(name, str) or not name or "/" in name or "\\" in name or name in {".", ".."}:
            raise ValueError(f"this is no index of shards: {name!r} is no name of a file beside it")
    return found
