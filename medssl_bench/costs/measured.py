"""A calibration: the speed of one machine, kept in the cache folder. Importing this module imports no torch."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from medssl_bench.costs.machine import Machine, this_machine
from medssl_bench.errors import printable
from medssl_bench.store.atomic import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "calibration.json"
_SCHEMA = 1
_AGAIN = "medssl-bench doctor --calibrate measures again"


@dataclass(frozen=True)
class Calibration:
    """What units of work cost here.

    Attributes:
        machine: the machine that it holds for.
        device: the device, as records name it.
        threads: threads that torch computed with.
        time: when it was measured, ISO 8601 in UTC.
        costs: seconds of each unit of `units`.
    """

    machine: Machine
    device: str
    threads: int
    time: str
    costs: dict[str, float]

    @classmethod
    def of(cls, device: str, threads: int, costs: dict[str, float]) -> Calibration:
        """Return one of this machine, measured now."""
        return cls(this_machine(), device, threads, datetime.now(UTC).isoformat(timespec="seconds"), costs)

    def write(self, cache: Path) -> Path:
        """Keep it in the cache folder, in place of an older one, and return its file.

        Raises:
            OSError: the folder cannot be written.
        """
        cache.mkdir(parents=True, exist_ok=True)
        file = cache / _NAME
        write_atomically(file, json.dumps({"schema": _SCHEMA, **asdict(self)}, indent=1) + "\n")
        return file


@dataclass(frozen=True)
class Known:
    """What the cache folder holds.

    Attributes:
        calibration: one that holds here, or None.
        problem: why the one that is there does not count, in a line; empty if there is none, or it does.
    """

    calibration: Calibration | None = None
    problem: str = ""


def known_calibration(cache: Path, device: str = "auto") -> Known:
    """Return the calibration of this machine, if there is one that counts.

    Args:
        cache: the cache folder.
        device: torch's type of the device that is going to compute, or ``auto``, which any calibration is of.
    """
    file = cache / _NAME
    try:
        found = _read(file.read_text("utf-8"))
    except FileNotFoundError:
        return Known()
    except OSError as error:
        return Known(problem=f"{file}: the calibration cannot be read: {error.strerror}; {_AGAIN}")
    except ValueError as error:
        return Known(problem=f"{file}: this is no calibration ({error}); {_AGAIN}")
    different = this_machine().differences(found.machine)
    kind = device.partition(":")[0]
    if not different and kind not in {"auto", found.device.partition(":")[0]}:
        different = f"it is of another device ({found.device})"
    if different:
        return Known(problem=printable(f"the calibration of {found.time[:10]} does not count: {different}; {_AGAIN}"))
    return Known(found)


def _read(text: str) -> Calibration:
    """Return the calibration that a file holds.

    Raises:
        ValueError: it holds something else; JSON that cannot be read is such an error too.
    """
    try:
        data = json.loads(text)
    except RecursionError:
        raise ValueError("JSON too deep to read") from None
    if not isinstance(data, dict) or data.pop("schema", None) != _SCHEMA:
        raise ValueError(f"schema is not {_SCHEMA}")
    machine = data.get("machine")
    if not isinstance(machine, dict) or set(machine) != {field.name for field in fields(Machine)}:
        raise ValueError("machine is not a table of one")
    if set(data) != {field.name for field in fields(Calibration)}:
        raise ValueError("its keys are others")
    if not isinstance(data["time"], str) or not isinstance(data["device"], str):
        raise ValueError("time and device must be text")
    if not isinstance(data["threads"], int):
        raise ValueError("threads must be a number")
    costs = data["costs"]
    if not isinstance(costs, dict) or not all(map(_is_cost, costs.values())):
        raise ValueError("costs must be seconds, finite and not below 0")
    return Calibration(**{**data, "machine": Machine(**machine)})


def _is_cost(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
