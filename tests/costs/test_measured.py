"""What is kept of a calibration, and when it counts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.costs.machine import device_text, this_machine
from medssl_bench.costs.measured import Calibration, _read, known_calibration

CPU = device_text("cpu")


def _made() -> Calibration:
    return Calibration.of(CPU, 2, {"stage": 0.25, "view:simclr": 1e-4})


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = _made()
    file = made.write(tmp_path / "new" / "folder")
    assert known_calibration(tmp_path / "new" / "folder").calibration == made
    assert [each.name for each in file.parent.iterdir()] == [file.name], "nothing is left beside it"
    replace(made, costs={"stage": 1.0}).write(file.parent)
    found = known_calibration(file.parent).calibration
    assert found is not None
    assert found.costs == {"stage": 1.0}


def test_without_one_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert known_calibration(tmp_path) == known_calibration(tmp_path / "nothing")
    assert known_calibration(tmp_path).problem == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"processor": "Other CPU"}, "another processor (Other CPU, here"),
        ({"cores": 4096}, "another number of cores (4096, here"),
        ({"usable": 4096}, "another number of usable cores (4096, here"),
        ({"asked_threads": "77"}, "another OMP_NUM_THREADS (77, here"),
        ({"torch": "1.0"}, "another torch (1.0, here"),
        ({"processor": "\x1b[31mred"}, "(\\x1b[31mred, here"),
    ],
)
def test_one_of_another_machine_does_not_count(changes: dict[str, object], words: str, tmp_path: Path) -> None:
    made = replace(_made(), machine=replace(this_machine(), **changes))  # type: ignore[arg-type]
    made.write(tmp_path)
    found = known_calibration(tmp_path)
    assert found.calibration is None
    assert found.problem.startswith(f"the calibration of {made.time[:10]} does not count: it is of")
    assert words in found.problem
    assert found.problem.endswith("medssl-bench doctor --calibrate measures again")


def test_the_name_of_the_machine_does_not_matter(tmp_path: Path) -> None:
    replace(_made(), machine=replace(this_machine(), host="another container")).write(tmp_path)
    assert known_calibration(tmp_path).calibration is not None


def test_a_device_that_is_asked_for_must_be_the_one(tmp_path: Path) -> None:
    _made().write(tmp_path)
    assert known_calibration(tmp_path, "cpu").calibration is not None
    assert "it is of another device" in known_calibration(tmp_path, "cuda:1").problem


def _spoilt(**changes: object) -> str:
    whole = {"schema": 1, **json.loads(json.dumps(_made(), default=vars)), **changes}
    return json.dumps({name: value for name, value in whole.items() if value is not ...}, default=str)


@pytest.mark.parametrize(
    "text",
    [
        "", "no JSON", "[]", "{}", "null", "[" * 100_000, _spoilt(schema=2), _spoilt(machine=3), _spoilt(machine={}),
        _spoilt(costs=[]), _spoilt(costs={"stage": "long"}), _spoilt(costs={"stage": -1}),
        _spoilt(costs={"stage": True}),
        _spoilt(costs={"stage": float("nan")}), _spoilt(costs={"stage": float("inf")}), _spoilt(time=3),
        _spoilt(device=None), _spoilt(threads="2"), _spoilt(more=1), _spoilt(costs=...),
    ],
)  # fmt: skip
def test_a_broken_file_is_one_line(text: str, tmp_path: Path) -> None:
    file = _made().write(tmp_path)
    assert "is no calibration" not in known_calibration(tmp_path).problem
    file.write_text(text, "utf-8")
    found = known_calibration(tmp_path)
    assert found.calibration is None
    assert found.problem.startswith(f"{file}: this is no calibration (")
    assert len(found.problem.splitlines()) == 1


def test_files_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_bytes(b"\xff\xfe")
    assert "this is no calibration" in known_calibration(tmp_path).problem
    (tmp_path / "calibration.json").unlink()
    (tmp_path / "calibration.json").mkdir()
    assert "cannot be read: Is a directory" in known_calibration(tmp_path).problem


@given(
    st.text()
    | st.recursive(st.none() | st.floats() | st.text(), lambda x: st.dictionaries(st.text(), x)).map(json.dumps)
)
def test_whatever_stands_there_is_read_or_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        _read(text)
