"""What killed runs leave in a store is deleted; what somebody works on is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from medssl_bench.store.store import Store
from medssl_bench.store.workplaces import clear, workplace_name

KEY = "ab" + "0" * 62

_WORKER = """
import sys, time
from pathlib import Path
from medssl_bench.store.store import Store

store = Store(Path(sys.argv[1]))
store.prepare()
with store.workplace("ab" + "0" * 62) as folder:
    (folder / "weights").write_text("half")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_what_a_killed_run_leaves_is_deleted_by_the_next(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    command = [sys.executable, "-c", _WORKER, str(store.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        folder = Path(worker.stdout.readline().strip())
        store.prepare()
        assert (folder / "weights").read_text() == "half", "it is at work"
        worker.send_signal(signal.SIGKILL)
    assert folder.exists()
    store.prepare()
    assert not folder.exists()


def _make(work: Path, name: str, days: float) -> Path:
    folder = work / name
    folder.mkdir()
    then = time.time() - days * 24 * 3600
    os.utime(folder, (then, then))
    return folder


def test_what_cannot_be_asked_is_left_for_a_week(tmp_path: Path) -> None:
    own = workplace_name(KEY)
    names = {own, f"{KEY[:16]}-elsewhere-1-0123abcd", f"{KEY[:16]}-123-0123abcd", "something else"}
    for name in names:
        _make(tmp_path, name, days=6)
    clear(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == names
    for name in names:
        (tmp_path / name).rmdir()
        _make(tmp_path, name, days=8)
    clear(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [own], "this process may work on a stage for longer"
