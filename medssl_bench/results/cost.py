"""What a suite's results have cost, and where they come from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from medssl_bench.plan.stage import Plan
    from medssl_bench.store.record import Record
    from medssl_bench.store.store import Store


@dataclass(frozen=True)
class Cost:
    """Totals over the finished stages of a plan.

    Attributes:
        stages: finished stages by kind.
        expected: all stages of the plan by kind.
        encoders: trained encoders: pretrainings, and evaluations that saw images in training.
        images: images processed in training encoders.
        seconds: wall time, the sum over stages.
        processor_seconds: processor time, the sum over stages.
        joules: energy, or None where no stage could measure it.
        measured: stages whose energy was measured.
        peak_bytes: most memory that one process held.
        devices: wall seconds by device.
    """

    stages: dict[str, int]
    expected: dict[str, int]
    encoders: int
    images: int
    seconds: float
    processor_seconds: float
    joules: float | None
    measured: int
    peak_bytes: int
    devices: dict[str, float]


def cost_of(plan: Plan, store: Store) -> Cost:
    """Return the totals of what a store holds of a plan."""
    records = finished(plan, store)
    joules = [float(record.cost["energy_joules"]) for record in records if record.cost.get("energy_joules")]
    devices: dict[str, float] = {}
    for record in records:
        device = str(record.provenance.get("device", "unknown"))
        devices[device] = devices.get(device, 0.0) + _number(record, "wall_seconds")
    return Cost(
        stages=dict(Counter(record.kind for record in records)),
        expected=dict(Counter(stage.kind for stage in plan.stages.values())),
        encoders=sum(_number(record, "images_seen") > 0 for record in records),
        images=int(sum(_number(record, "images_seen") for record in records)),
        seconds=sum(_number(record, "wall_seconds") for record in records),
        processor_seconds=sum(_number(record, "processor_seconds") for record in records),
        joules=sum(joules) if joules else None,
        measured=len(joules),
        peak_bytes=int(max((_number(record, "peak_memory_bytes") for record in records), default=0)),
        devices=devices,
    )


def finished(plan: Plan, store: Store) -> list[Record]:
    """Return the records of the stages of a plan that are finished, in the plan's order."""
    return [record for key in plan.stages if (record := store.record(key))]


def versions(records: Iterable[Record]) -> dict[str, list[str]]:
    """Return the versions of libraries, plugins, devices and commits under which results were made, by name."""
    found: dict[str, dict[str, None]] = {}
    for record in records:
        provenance: dict[str, Any] = record.provenance
        pairs = dict(provenance.get("versions") or {})
        for name, plugin in (provenance.get("plugins") or {}).items():
            pairs[f"plugin {name}"] = plugin.get("version") or plugin.get("origin")
        git = provenance.get("git") or {}
        if git.get("commit"):
            changed = "" if git.get("clean", True) else " (changed)"  # told by older versions
            pairs["git commit"] = f"{git['commit'][:12]}{changed}"
        for name in ("device", "platform", "threads", "deterministic"):
            pairs[name] = provenance.get(name)
        for name, value in pairs.items():
            if value is not None:
                found.setdefault(name, {})[str(value)] = None
    return {name: list(values) for name, values in found.items()}


def _number(record: Record, name: str) -> float:
    return float(record.cost.get(name) or 0.0)
