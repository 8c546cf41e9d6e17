"""A store that several people share: files are as open as the umask says, and what may not be read is told as that."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from filled import KEYS, filled

from medssl_bench.checkpoints import TrainingState
from medssl_bench.store.checkpoints import StoredCheckpoints
from medssl_bench.store.presence import present
from medssl_bench.store.record import Record
from medssl_bench.store.store import Store
from medssl_bench.store.tensors import save_tensors

A, B, C, D = KEYS

_FILL = """
import sys
from pathlib import Path
from test_sharing import fill

fill(Path(sys.argv[1]))
"""

_OTHER = """
import os
import sys
import medssl_bench.cli.store, medssl_bench.store.contents, medssl_bench.store.copying, medssl_bench.store.archive
import medssl_bench.store.audit, medssl_bench.store.garbage, medssl_bench.progress.words, medssl_bench.cli.console
import medssl_bench.plan.known_datasets, rich.table, rich.text
from medssl_bench.cli.main import main

os.setegid(65534)
os.setgroups([])
os.seteuid(65534)
sys.argv = ["medssl-bench", "store", *sys.argv[1:]]
main()
"""


def fill(folder: Path) -> None:
    """Make a store with everything that a run writes: stages, a failure, a checkpoint, a run under way."""
    store = Store(folder)
    store.prepare()
    lease = store.leases.acquire(A)
    assert lease is not None
    save_tensors({"a": torch.zeros(3)}, lease.files / "encoder.safetensors")
    store.finish(Record(A, "pretrain", "title", "done", {}), lease)
    lease.release(keep=False)
    lease = store.leases.acquire(B)
    assert lease is not None
    StoredCheckpoints(lease, None, dict).save(TrainingState({"a": torch.zeros(3)}))
    lease.release(keep=True)
    lease = store.leases.acquire(C)
    assert lease is not None
    store.fail(Record(C, "evaluate", "title", "failed", {}, reason="no"), "", lease)
    lease.release(keep=False)
    with present(folder, [A]):
        assert {_mode(path) for path in (folder / "runs").iterdir()} == {_mode(folder / "store.json")}


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("umask", [0o002, 0o022, 0o027, 0o077])
def test_every_file_has_the_mode_that_the_umask_gives(umask: int, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    command = [sys.executable, "-c", _FILL, str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parent)])}
    subprocess.run(command, check=True, umask=umask, env=environment)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".json", ".txt", ".safetensors"}
    assert {path.name: oct(_mode(path)) for path in files if _mode(path) != 0o666 & ~umask} == {}
    folders = [path for path in (folder, *folder.rglob("*")) if path.is_dir()]
    assert {path.name: oct(_mode(path)) for path in folders if _mode(path) != 0o777 & ~umask} == {}


def test_files_are_of_the_group_of_a_folder_that_gives_its_own(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to give a folder to another group")
    os.chown(tmp_path, 0, 65534)
    tmp_path.chmod(0o2775)
    fill(tmp_path / "store")
    assert {path.stat().st_gid for path in tmp_path.rglob("*")} == {65534}


@pytest.fixture
def shared() -> Iterator[Path]:
    """Give a folder that everyone can look into."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another user")
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def _as_another(*arguments: str | Path) -> tuple[int, str]:
    command = [sys.executable, "-c", _OTHER, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", umask=0o022)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("hidden", ["weights", "record.json", ".", ".."])
def test_what_another_user_may_not_read_is_no_damage(hidden: str, shared: Path) -> None:
    store = filled(shared / "store", A, B)
    (store.folder(A) / hidden).chmod(0)
    shown = {".": store.folder(A), "..": store.folder(A).parent}.get(hidden, store.folder(A) / hidden)

    status, said = _as_another("verify", "--store", store.path, "--set-aside")
    assert status == 1, said
    assert "2 finished stages, 0 of them not what was written, 1 that you may not read" in said
    assert "nobody may not read this" in said
    assert str(shown) in said or hidden == "."
    assert store.folder(A).is_dir(), "it is not set aside"

    status, said = _as_another("ls", "--store", store.path, "--json")
    assert status == 0
    assert '"damaged"' not in said
    assert said.count('"unreadable"') == (hidden != "weights")

    status, said = _as_another("gc", "--store", store.path)
    assert status == 0, said
    assert "nothing can be deleted" in said


def test_nothing_is_set_aside_or_failed_as_it_may_not_be_read(shared: Path) -> None:
    store = filled(shared / "store", A)
    (store.folder(A) / "weights").chmod(0)
    code = f"""
import os
from pathlib import Path
from medssl_bench.errors import NotReadable
from medssl_bench.store.store import Store

store = Store(Path({str(store.path)!r}))
os.seteuid(65534)
assert store.is_done({A!r})
try:
    store.checked({A!r}, "weights")
except NotReadable as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "nobody may not read this, which belongs to root; its owner can allow it: chmod -R g+rX" in done.stdout
    assert store.is_done(A)
