"""Energy from the kernel's counters."""

from __future__ import annotations

from pathlib import Path

import pytest

from medssl_bench.stages.energy import EnergyMeter


def _set(folder: Path, package: str, microjoules: int, most: int = 1_000_000) -> None:
    (folder / package).mkdir(exist_ok=True)
    (folder / package / "energy_uj").write_text(f"{microjoules}\n", "utf-8")
    (folder / package / "max_energy_range_uj").write_text(f"{most}\n", "utf-8")


def test_the_packages_are_added_and_their_parts_are_not(tmp_path: Path) -> None:
    for package in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        _set(tmp_path, package, 1000)
    meter = EnergyMeter(tmp_path)
    for package, value in (("intel-rapl:0", 501_000), ("intel-rapl:1", 251_000), ("intel-rapl:0:0", 900_000)):
        _set(tmp_path, package, value)
    assert meter.joules() == pytest.approx(0.75)


def test_a_counter_that_starts_again(tmp_path: Path) -> None:
    _set(tmp_path, "intel-rapl:0", 900_000)
    meter = EnergyMeter(tmp_path)
    _set(tmp_path, "intel-rapl:0", 100_000)
    assert meter.joules() == pytest.approx(0.2)


def test_without_a_meter_that_can_be_read_there_is_no_number(tmp_path: Path) -> None:
    assert EnergyMeter(tmp_path).joules() is None
    assert EnergyMeter(tmp_path / "nothing").joules() is None
    (tmp_path / "intel-rapl:0").mkdir()
    assert EnergyMeter(tmp_path).joules() is None
