"""The energy that a machine has used, where it has a meter that this process may read."""

from __future__ import annotations

from pathlib import Path

_METERS = Path("/sys/class/powercap")


class EnergyMeter:
    """Measures the energy of the processor packages of a Linux machine (RAPL), everything that runs on them included.

    Args:
        folder: where the kernel shows the meters.
    """

    def __init__(self, folder: Path = _METERS) -> None:
        self._packages = sorted(folder.glob("intel-rapl:[0-9]*"))
        self._packages = [package for package in self._packages if package.name.count(":") == 1]
        self._before = [_counter(package / "energy_uj") for package in self._packages]

    def joules(self) -> float | None:
        """Return the energy since the meter was made; None where there is no meter that can be read."""
        total = 0.0
        for package, before in zip(self._packages, self._before, strict=True):
            after, most = _counter(package / "energy_uj"), _counter(package / "max_energy_range_uj")
            if before is None or after is None:
                return None
            total += after - before if after >= before else after - before + (most or 0)  # it starts again at its end
        return total / 1e6 if self._packages else None


def _counter(file: Path) -> int | None:
    try:
        return int(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
