"""Opening a store that several processes are just making."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from medssl_bench.store.store import Store

_OPEN = """
import sys, time
from pathlib import Path
from medssl_bench.store.store import Store

for number in range(int(sys.argv[2])):
    place = Path(sys.argv[1]) / str(number)
    (place.parent / f"{number}-{sys.argv[3]}").touch()
    end = time.monotonic() + 60
    while len(list(place.parent.glob(f"{number}-*"))) < 4 and time.monotonic() < end:
        time.sleep(0)
    for _ in range(20):
        Store(place)
    store = Store(place)
    store.prepare()
    for _ in range(20):
        Store(place)
"""


def test_several_processes_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _OPEN, str(tmp_path), "40"]
    opening = [subprocess.Popen([*command, str(number)], stderr=subprocess.PIPE, text=True) for number in range(4)]
    said = [process.communicate(timeout=120)[1] for process in opening]
    assert said == [""] * 4


def test_a_store_that_is_made_as_one_looks_is_one(tmp_path: Path, monkeypatch) -> None:
    """The marker comes between two looks, and folders after it."""
    made, is_file = tmp_path / "store", Path.is_file

    def look(path: Path) -> bool:
        found = is_file(path)
        if path == made / "store.json" and not found:
            monkeypatch.setattr(Path, "is_file", is_file)
            Store(made).prepare()
        return found

    made.mkdir()
    monkeypatch.setattr(Path, "is_file", look)
    assert Store(made).path == made
