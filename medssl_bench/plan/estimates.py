"""How long stages will take: by records of like stages, by a calibration of this machine, or roughly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

from medssl_bench.costs.machine import processor, this_machine
from medssl_bench.costs.measured import Calibration, known_calibration
from medssl_bench.costs.units import cost_of, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from medssl_bench.costs.units import Work
    from medssl_bench.plan.stage import Stage
    from medssl_bench.store.record import Record

Basis = Literal["measured", "calibrated", "rough"]

_NEAREST = 5
"""How many records of like stages an estimate rests on: those of the most similar amount of work."""


@dataclass(frozen=True)
class Estimate:
    """How long a stage is expected to take.

    Attributes:
        seconds: that.
        basis: ``measured``, by records of like stages; ``calibrated``, by the calibration of this machine; ``rough``.
    """

    seconds: float
    basis: Basis


@dataclass(frozen=True)
class _Done:
    """The timing of a record: the work, and how long it took."""

    work: Work
    seconds: float


class Estimates:
    """Estimates how long stages take here.

    The work of a stage, times the costs of its units, is corrected by how much longer or shorter like stages took than
    that: so a record of 100 images helps to estimate 10,000.

    Args:
        records: finished stages; those of another machine, device or number of threads do not count.
        cache: folder of the calibration; None: there is none.
        device: torch's type of the device that is going to compute; ``auto``: the one that was calibrated, or else the
            one of the newest record of this machine.
        elsewhere: whether other machines are going to compute, such as those of a cluster: then the calibration of this
            one does not count, and records of any machine do, where device and threads are those of the newest.

    Attributes:
        problem: why the calibration that is there does not count, or an empty string.
        start: seconds that a run takes before its first stage.
    """

    def __init__(
        self,
        records: Iterable[Record],
        cache: Path | None = None,
        device: str = "auto",
        *,
        elsewhere: bool = False,
    ) -> None:
        known = known_calibration(cache, device) if cache and not elsewhere else None
        calibration = known.calibration if known else None
        self.problem = known.problem if known else ""
        self._costs = calibration.costs if calibration else {}
        self._is_calibrated = calibration is not None
        self.start = cost_of("start", self._costs)
        self._done: dict[str, list[_Done]] = {}
        kind = device.partition(":")[0]
        near = _of_a_device(records, kind) if elsewhere else _of_this_machine(records, kind)
        for record in _like_the_last(near, calibration):
            found = _done(record)
            if found is not None:
                self._done.setdefault(str(record.cost.get("speed_group")), []).append(found)

    def of(self, stage: Stage) -> Estimate | None:
        """Return how long a stage is expected to take; None while its data has not been seen."""
        if stage.work is None:
            return None
        expected = seconds(stage.work, self._costs)
        factors = sorted(
            (max(would, expected) / min(would, expected), done.seconds / would)
            for done in self._done.get(stage.speed_group, [])
            if (would := seconds(done.work, self._costs)) > 0 and expected > 0
        )
        if not factors:
            return Estimate(expected, "calibrated" if self._is_calibrated else "rough")
        return Estimate(expected * median(factor for _, factor in factors[:_NEAREST]), "measured")


def _of_this_machine(records: Iterable[Record], kind: str) -> list[Record]:
    return [record for record in records if _is_of_this_machine(record.provenance, kind)]


def _of_a_device(records: Iterable[Record], kind: str) -> list[Record]:
    return [
        record for record in records if kind in {"auto", str(record.provenance.get("device", kind)).partition(":")[0]}
    ]


def _like_the_last(found: list[Record], calibration: Calibration | None) -> list[Record]:
    """Return the records of the device and the threads that are going to be used: the calibrated, or the last ones."""
    if calibration is not None:
        wanted = {"device": calibration.device, "threads": calibration.threads}
    else:
        told = [record.provenance for record in found if "device" in record.provenance]
        newest = max(told, key=lambda provenance: str(provenance.get("time", "")), default={})
        wanted = {name: newest[name] for name in ("device", "threads") if name in newest}
    return [
        record for record in found if all(record.provenance.get(name, value) == value for name, value in wanted.items())
    ]


def _is_of_this_machine(provenance: dict[str, Any], kind: str) -> bool:
    """Return whether a record may be of this machine, and of a kind of device, as far as its provenance says."""
    device = provenance.get("device")
    if device is None:
        return True
    here = this_machine()
    its_kind, _, its_name = str(device).partition(": ")
    if kind not in {"auto", its_kind}:
        return False
    if its_kind == "cuda":  # only torch knows which one this machine has
        return provenance.get("host", here.host) == here.host
    return its_name == f"{processor()}, {here.cores} cores"


def _done(record: Record) -> _Done | None:
    """Return the timing of a record, or None if it has none or is not valid."""
    work, took = record.cost.get("work"), record.cost.get("wall_seconds")
    if not isinstance(work, dict) or not _is_number(took) or not took > 0:
        return None
    try:
        sound = all(_is_number(number) and number >= 0 and cost_of(unit, {}) >= 0 for unit, number in work.items())
    except KeyError:  # of a newer version
        return None
    return _Done(work, took) if sound else None


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
