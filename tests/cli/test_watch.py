"""`run --watch`: watchers that users ask for, with their parameters."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from medssl_bench import Suite, run
from medssl_bench.errors import PluginError, UserError
from medssl_bench.training.processor import one_thread

WATCHER = """
import json
from dataclasses import dataclass
from pathlib import Path

from medssl_bench import hookimpl

@hookimpl
def medssl_watchers(register):
    register("notes", Notes)
    register("nothing", nothing)

@dataclass(frozen=True, kw_only=True)
class Notes:
    '''Writes down how each stage ended.

    Args:
        file: where to.
        fails: whether to fail at the first stage.
    '''

    file: str = "notes.jsonl"
    fails: bool = False

    @hookimpl
    def medssl_stage_ends(self, stage, outcome):
        if self.fails:
            raise ConnectionError("no server there")
        with Path(self.file).open("a") as to:
            print(json.dumps([stage.kind, outcome.status, stage.dataset, stage.labels]), file=to)

def nothing():
    '''No watcher.'''
    return 3
"""


@pytest.fixture
def noting(tiny: Path) -> Iterator[Path]:
    Path("noting.py").write_text(WATCHER)
    tiny.write_text(f'plugins = ["noting.py"]\n{tiny.read_text()}')
    with one_thread():  # quicker for what is so small
        yield tiny


def _run(suite: object, *watch: object) -> None:
    run(suite, only=["supervised"], draws=[0], epochs_scale=0.25, device="cpu", progress=False, watch=watch)


def test_it_is_told_if_it_is_asked_for_and_only_then(cli, noting):
    fewer = ("run", noting, "--only", "supervised", "--draws", "0", "--epochs-scale", "0.25")
    asked = cli(*fewer, "--seeds", "0", "--watch", "notes", "--watch-set", "notes.file=told.jsonl")
    assert asked.status == 0, asked.err
    told = [json.loads(line) for line in Path("told.jsonl").read_text().splitlines()]
    assert ["evaluate", "done", "squares", "20"] in told
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        failing = cli(*fewer, "--seeds", "1", "--watch", "notes", "--watch-set", "notes.fails=true")
    assert failing.status == 0
    assert failing.err.count("warning: plugin 'watcher/notes' stops watching: ConnectionError: no server there\n") == 1
    assert cli(*fewer, "--seeds", "2").status == 0
    assert len(Path("told.jsonl").read_text().splitlines()) == len(told)


def test_python_asks_for_them_by_name_or_table(noting):
    suite = Suite.load(noting)
    before = suite.plugins.manager.get_plugins()
    _run(suite, {"name": "notes", "file": "mine.jsonl"})
    assert Path("mine.jsonl").exists()
    assert suite.plugins.manager.get_plugins() == before


@pytest.mark.parametrize(
    ("watch", "error", "says"),
    [
        (("noted",), UserError, r"there is no watcher 'noted' \(did you mean 'notes'\?\)"),
        (("notes", {"name": "notes"}), UserError, "watcher 'notes' is asked for twice"),
        (({"name": "notes", "files": "x"},), UserError, "files: .*'notes'"),
        (("nothing",), PluginError, "watcher 'nothing': its factory gives int, which has no hook of a run"),
    ],
)
def test_a_wrong_one_is_refused_before_anything_runs(noting, watch, error, says):
    with pytest.raises(error, match=says):
        _run(noting, *watch)
    with pytest.raises(UserError, match="give a list of watchers"):
        run(noting, watch="notes", progress=False)
    assert not Path("store").exists()
