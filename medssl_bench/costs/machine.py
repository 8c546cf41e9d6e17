"""What decides the speed of this machine, as far as it is known without torch."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """A machine, and the settings of torch on it.

    Attributes:
        host: its name.
        processor: name of its processor.
        cores: how many cores it has.
        usable: how many of them this process may use.
        asked_threads: the environment's ``OMP_NUM_THREADS``, or an empty string.
        torch: version of torch, or an empty string without one.
    """

    host: str
    processor: str
    cores: int
    usable: int
    asked_threads: str
    torch: str

    def differences(self, other: Machine) -> str:
        """Return in what another one differs so that a speed measured there does not count here, or ''."""
        for name, words in (
            ("processor", "processor"),
            ("cores", "number of cores"),
            ("usable", "number of usable cores"),
            ("asked_threads", "OMP_NUM_THREADS"),
            ("torch", "torch"),
        ):
            here, there = getattr(self, name), getattr(other, name)
            if here != there:
                return f"it is of another {words} ({there or 'none'}, here {here or 'none'})"
        return ""


def this_machine() -> Machine:
    """Return the machine that this process runs on."""
    try:
        torch = version("torch")
    except PackageNotFoundError:
        torch = ""
    cores = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    return Machine(platform.node(), processor(), cores, usable, os.environ.get("OMP_NUM_THREADS", ""), torch)


@lru_cache(maxsize=1)
def processor() -> str:
    """Return the name of the processor."""
    if sys.platform == "linux":
        try:
            with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
                return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
        except (OSError, StopIteration):
            pass
    return platform.machine()  # `platform.processor()` would look up a program on the PATH and run it


def device_text(kind: str, name: str = "") -> str:
    """Return a device as records name it.

    Args:
        kind: torch's type of it: ``cpu``, ``cuda`` or ``mps``.
        name: of a CUDA device.
    """
    return f"cuda: {name}" if kind == "cuda" else f"{kind}: {processor()}, {os.cpu_count()} cores"
