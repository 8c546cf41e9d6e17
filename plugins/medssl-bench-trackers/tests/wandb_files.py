"""Reads what W&B writes offline: records of its protocol, in files that are laid out as LevelDB's logs are."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_BLOCK = 2**15
_HEAD = struct.Struct("<IHB")
_WHOLE, _FIRST, _LAST = 1, 2, 4


@dataclass
class Offline:
    """What the folders of a run hold: one for each time that it was gone on with."""

    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    artefacts: list[tuple[str, list[str]]] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)
    exits: list[int] = field(default_factory=list)


def offline_runs(folder: Path) -> dict[str, Offline]:
    """Return the runs in a folder ``wandb``, by what they are called."""
    from wandb.proto.wandb_internal_pb2 import Record

    found: dict[str, Offline] = {}
    for file in sorted(folder.glob("offline-run-*/run-*.wandb")):
        records = [Record.FromString(content) for content in _contents(file.read_bytes())]
        (run,) = [record.run for record in records if record.HasField("run")][:1]
        told = found.setdefault(run.display_name, Offline())
        told.about = {"id": run.run_id, "project": run.project, "group": run.run_group, "kind": run.job_type}
        told.config |= {item.key: json.loads(item.value_json) for item in run.config.update}
        for record in records:
            if record.HasField("history"):
                told.history.append({_name(item): json.loads(item.value_json) for item in record.history.item})
            elif record.HasField("summary"):
                told.summary |= {_name(item): json.loads(item.value_json) for item in record.summary.update}
            elif record.HasField("artifact"):
                paths = [entry.path for entry in record.artifact.manifest.contents]
                told.artefacts.append((record.artifact.name, paths))
            elif record.HasField("exit"):
                told.exits.append(record.exit.exit_code)
    return found


def _name(item: Any) -> str:
    return item.key or ".".join(item.nested_key)


def _contents(data: bytes) -> Iterator[bytes]:
    place, parts = 7, b""  # after ":W&B", a magic number and the version
    while place + _HEAD.size <= len(data):
        left = _BLOCK - place % _BLOCK
        if left < _HEAD.size:  # too little for a head: zeros up to the next block
            place += left
            continue
        _, length, kind = _HEAD.unpack_from(data, place)
        place += _HEAD.size
        parts = (b"" if kind in {_WHOLE, _FIRST} else parts) + data[place : place + length]
        place += length
        if kind in {_WHOLE, _LAST}:
            yield parts
