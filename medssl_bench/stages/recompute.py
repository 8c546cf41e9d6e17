"""Computes a finished stage again, beside the store, and compares."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from medssl_bench.errors import UserError
from medssl_bench.methods.check_history import GAUGES
from medssl_bench.plugin.component import components_in
from medssl_bench.plugin.registry import Registry
from medssl_bench.stages.attempt import Attempt
from medssl_bench.stages.provenance import circumstances
from medssl_bench.stages.records import stage_of
from medssl_bench.stages.run import perform
from medssl_bench.stages.workshop import Workshop
from medssl_bench.store.arrays import load_history, load_npz
from medssl_bench.store.record import Record
from medssl_bench.store.tensors import load_arrays

_ADDED_LATER = ("val_true", "val_score")
"""Arrays of ``predictions.npz`` that results of older releases lack."""


@dataclass
class Comparison:
    """A stage beside itself, computed again.

    Attributes:
        same: names of files with the same bytes.
        different: what differs, a line each.
    """

    same: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)


def recompute(record: Record, workshop: Workshop, folder: Path) -> Comparison:
    """Do a finished stage again, and compare its files and metrics with what is in the store.

    Args:
        record: of the stage.
        workshop: what to work with; its store has the stage, and those that it builds on.
        folder: an empty folder for the new files; the store is only read.

    Raises:
        UserError: a component is not there, or not what it was.
        StageError: the stage fails now.
    """
    stage = stage_of(record)
    require_components(stage.spec.to_data(), workshop.registry)
    result = perform(stage, workshop, Attempt(folder))
    found = Comparison()
    new = {file.name for file in folder.iterdir()}
    for name in sorted(new | record.files.keys()):
        if name not in new or name not in record.files:
            found.different.append(f"{name}: only the {'new' if name in new else 'old'} one has it")
        elif _digest(folder / name) == record.files[name]["sha256"]:
            found.same.append(name)
        else:
            old = workshop.store.checked(record.key, name)
            if difference := _difference(old, folder / name):
                found.different.append(f"{name}: {difference}")
            else:
                found.same.append(name)
    found.different += _changed(record.metrics, result.metrics)
    return found


def unlike(record: Record, workshop: Workshop) -> list[str]:
    """Return what of the circumstances is not as it was, a line each: then other bits are to be expected."""
    now = circumstances(workshop.device)
    made = record.provenance
    before = {
        "torch": made.get("versions", {}).get("torch"),
        "device": made.get("device"),
        "threads": made.get("threads"),
    }
    return [f"{name}: it was {before[name]}, it is {now[name]}" for name in now if str(now[name]) != str(before[name])]


def require_components(spec: Mapping[str, Any], registry: Registry) -> None:
    """Raise an error if a component that a stage is described by is not there, or is not what it was.

    Raises:
        UserError: it has another source, or revision, or there is none of that name.
    """
    for component in components_in(spec):
        entry = registry.find(component.kind, component.name)
        if (entry.plugin.source, entry.revision) != (component.source, component.revision):
            raise UserError(f"{component.kind} {component.name!r} of plugin {component.plugin!r} has changed since")


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _difference(old: Path, new: Path) -> str:
    """Return how much two files of arrays differ, in one line; nothing where an older release kept fewer arrays."""
    if old.suffix == ".safetensors":
        before, after = load_arrays(old), load_arrays(new)
    elif old.suffix == ".npz":
        before, after = load_npz(old), load_npz(new)
    elif old.name == "history.json":
        return "" if load_history(old) == _as_before(load_history(old), load_history(new)) else "other text"
    else:
        return "other text"
    later = {name: after.pop(name) for name in _ADDED_LATER if name in after and name not in before}
    if before.keys() != after.keys():
        return f"other arrays: {', '.join(sorted(before.keys() ^ after.keys()))}"
    worst, where = 0.0, ""
    for name, array in before.items():
        if array.shape != after[name].shape:
            return f"{name} has shape {after[name].shape}, it had {array.shape}"
        gap = float(np.abs(array.astype(np.float64) - after[name].astype(np.float64)).max(initial=0.0))
        if gap > worst:
            worst, where = gap, name
    if where:
        return f"values differ by up to {worst:.3g}, in {where}"
    return "" if later else "the same values in other bytes"


def _as_before(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of a history without what an older release did not measure."""
    known = {name for row in old for name in row}
    return [{name: row[name] for name in row if name in known or name not in GAUGES} for row in new]


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    after = json.loads(json.dumps({name: after[name] for name in after if name in before or name not in GAUGES}))
    names = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    return [f"{name}: was {before.get(name)}, is {after.get(name)}" for name in names]
