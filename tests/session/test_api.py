"""The Python interface: what a run tells the plugins that watch it."""

from __future__ import annotations

import builtins
import csv
import inspect
import io
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest
from test_markup import Reader

import medssl_bench
from medssl_bench import Leaderboard, RunResult, Suite, augmentations, hookimpl, load_leaderboard, methods, run, testing
from medssl_bench.errors import DamageWarning, UserError
from medssl_bench.plugin.watching import Outcome, StageInfo
from medssl_bench.results.records import to_csv
from medssl_bench.store.store import Store

SUITE = """\
schema = 1
name = "interrupted"
seeds = [0]
floors = ["majority"]

[encoder.small]
name = "timm"
model = "test_resnet"

[[comparison]]
id = "table"
datasets = [{ name = "phantom_cells", train = 40, val = 16, test = 16 }]
labels = ["all"]
encoder = "small"

  [[comparison.arm]]
  name = "supervised"
  evaluator = { name = "finetune", epochs = 3 }
"""


class _Interrupts:
    """Presses Ctrl-C in the training of the second stage, and keeps what it is told at the end."""

    def __init__(self) -> None:
        self.ended: list[Outcome] | None = None

    @hookimpl
    def medssl_stage_begins(self, stage: StageInfo) -> None:
        if "supervised" in stage.title:
            raise KeyboardInterrupt

    @hookimpl
    def medssl_run_ends(self, outcomes: list[Outcome]) -> None:
        self.ended = outcomes


def test_an_interrupted_run_tells_what_it_has_finished(tmp_path: Path) -> None:
    (tmp_path / "suite.toml").write_text(SUITE, "utf-8")
    suite, watching = Suite.load(tmp_path / "suite.toml"), _Interrupts()
    suite.plugins.manager.register(watching)
    with pytest.raises(KeyboardInterrupt):
        run(suite, store=tmp_path / "store", data_dir=tmp_path)
    assert watching.ended is not None
    assert [(outcome.status, "majority" in outcome.stage.title) for outcome in watching.ended] == [("done", True)]


class _Tells:
    """Keeps what has failed."""

    def __init__(self) -> None:
        self.failed: list[Outcome] = []

    @hookimpl
    def medssl_stage_ends(self, outcome: Outcome) -> None:
        if outcome.status == "failed":
            self.failed.append(outcome)


def _run(tmp_path: Path) -> RunResult:
    return run(tmp_path / "chain.toml", store=tmp_path / "store", data_dir=tmp_path)


CHAIN = SUITE.replace(
    "[[comparison]]",
    """[pretraining.first]
encoder = "small"
augmentation = ["horizontal_flip"]
epochs = 1

[[comparison]]""",
).replace('name = "supervised"', 'name = "chained"\n  pretraining = ["first", "first"]')


def _files(tmp_path: Path, kind: str) -> dict[str, Path]:
    """Return the folders of the finished stages of a kind by title."""
    records = Store(tmp_path / "store").records()
    return {r.title: Store(tmp_path / "store").folder(r.key) for r in records if r.kind == kind}


def _spoil(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def test_damage_is_set_aside_told_and_computed_anew(tmp_path: Path) -> None:
    """A missing file before the run; another content only when it is read, by what builds on it."""
    (tmp_path / "chain.toml").write_text(CHAIN, "utf-8")
    assert not _run(tmp_path).failed
    pretrained = _files(tmp_path, "pretrain")
    (last,) = [path for title, path in pretrained.items() if "after" in title]
    (first,) = [path for title, path in pretrained.items() if "after" not in title]
    (evaluated,) = [path for title, path in _files(tmp_path, "evaluate").items() if "chained" in title]

    shutil.rmtree(first)
    (evaluated / "predictions.npz").unlink()
    with pytest.warns(DamageWarning, match="predictions.npz is missing; it is set aside in"):
        result = _run(tmp_path)
    assert [outcome.status for outcome in result.outcomes] == ["done"], "the first of the chain is needed no more"
    assert (evaluated / "predictions.npz").is_file()

    _spoil(last / "encoder.safetensors")
    (evaluated / "predictions.npz").unlink()
    told = _Tells()
    suite = Suite.load(tmp_path / "chain.toml")
    suite.plugins.manager.register(told)
    with pytest.warns(DamageWarning):
        result = run(suite, store=tmp_path / "store", data_dir=tmp_path)
    (failed,) = told.failed
    assert "the SHA-256 of encoder.safetensors is not that of its record; it is set aside in" in failed.reason
    assert not result.failed, "the same run computes both again"
    assert {outcome.status for outcome in result.outcomes} == {"done"}
    assert (last / "encoder.safetensors").is_file()
    assert (evaluated / "predictions.npz").is_file()
    assert len(list((tmp_path / "store" / "damaged").iterdir())) == 3


def test_dir_lists_the_public_names_before_they_are_loaded() -> None:
    program = "import medssl_bench, sys; print(*dir(medssl_bench)); print('torch' in sys.modules)"
    names, torch = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout.splitlines()
    public = {name for name in names.split() if not name.startswith("_")}
    assert set(medssl_bench.__all__) - {"__version__"} <= public
    assert public - set(medssl_bench.__all__) <= {"plugin", "errors", "surroundings"}, (
        "modules that are loaded, and no helpers"
    )
    assert torch == "False"


@pytest.mark.parametrize("module", [methods, augmentations, testing], ids=lambda module: module.__name__)
def test_help_sees_what_is_loaded_when_it_is_used(module: ModuleType) -> None:
    assert set(module.__all__) <= {name for name, _ in inspect.getmembers(module)}, "pydoc asks so"


def test_all_names_can_be_imported_with_a_star() -> None:
    scope: dict[str, object] = {}
    exec("from medssl_bench import *", scope)
    assert set(medssl_bench.__all__) <= scope.keys()
    assert scope["RunResult"] is RunResult


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunResult]:
    folder = tmp_path_factory.mktemp("ran")
    (folder / "suite.toml").write_text(SUITE.replace("epochs = 3", "epochs = 1"), "utf-8")
    return folder, run(folder / "suite.toml", store=folder / "store", data_dir=folder, progress=False)


def test_what_a_run_returns(ran: tuple[Path, RunResult]) -> None:
    _, result = ran
    assert type(result) is medssl_bench.RunResult
    assert repr(result) == "<RunResult of 'interrupted': 2 done, 0 done before>"
    assert repr(result.leaderboard) == "<Leaderboard of 'interrupted': 1 comparison, 4 of 4 cells have values>"
    assert (len(result.done), result.failed, result.blocked) == (2, [], [])
    assert all(f"{name}:" in (RunResult.__doc__ or "") for name in ("leaderboard", "outcomes", "cached"))


def test_a_failure_is_told_by_its_repr(ran: tuple[Path, RunResult]) -> None:
    stage = StageInfo("0" * 64, "evaluate", "table · cells · 'a + b'")
    outcomes = [Outcome(stage, "failed", reason="no such luck"), Outcome(stage, "blocked")]
    text = repr(RunResult(ran[1].leaderboard, outcomes, 3))
    assert text.startswith("<RunResult of 'interrupted': 0 done, 1 failed, 1 blocked, 3 done before; ")
    assert text.endswith("failed: no such luck>")


def test_in_a_notebook_a_run_says_what_failed_above_its_table(ran: tuple[Path, RunResult]) -> None:
    stage = StageInfo("0" * 64, "evaluate", "table · cells · <b>")
    board = ran[1].leaderboard
    read = Reader(RunResult(board, [Outcome(stage, "failed", reason="no luck")], 3)._repr_html_())
    assert read.of("p")[:2] == ["0 done, 1 failed, 3 done before", "failed: table · cells · <b>: no luck"]
    assert read.of("p")[2] == board.counts.text
    assert read.of("caption")[0] == "phantom_cells train=40 val=16 test=16: accuracy"
    assert str(board).splitlines()[-1] == board.counts.text


def test_a_frame_has_the_lines_of_the_csv(ran: tuple[Path, RunResult]) -> None:
    pytest.importorskip("pandas")
    board = ran[1].leaderboard
    frame = board.to_frame()
    lines = list(csv.DictReader(io.StringIO(to_csv(board))))
    assert list(frame.columns) == list(lines[0])
    assert len(frame) == len(lines) == 4
    for row, line in zip(frame.itertuples(), lines, strict=True):
        assert (row.arm, row.labels, row.metric) == (line["arm"], line["labels"], line["metric"])
        assert row.value == float(line["value"])
        assert (str(row.seed), str(row.draw)) == (line["seed"], line["draw"])
    assert frame.dtypes["value"] == "float64"
    assert frame.dtypes["seed"] == "Int64"
    other = pl.DataFrame(frame)
    assert other["value"].to_list() == frame["value"].to_list()
    assert (other.schema["seed"], other.schema["verdict"]) == (pl.Int64, pl.String)
    assert frame[frame.arm == "supervised"].groupby("metric")["value"].mean().index.tolist() == ["accuracy", "auroc"]


def test_a_frame_of_nothing_has_lines_without_values(ran: tuple[Path, RunResult], tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    board: Leaderboard = load_leaderboard(ran[0] / "suite.toml", tmp_path / "none")
    frame = board.to_frame()
    assert len(frame) == 4
    assert frame[["seed", "draw", "value", "mean"]].isna().all().all()
    assert pl.DataFrame(frame)["value"].null_count() == 4


def test_without_pandas_a_frame_is_refused_in_one_line(
    ran: tuple[Path, RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without_pandas(name: str, *more: object) -> object:
        if name.partition(".")[0] == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'")
        return real(name, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without_pandas)
    with pytest.raises(UserError, match=r"^to_frame\(\) needs pandas, .* pip install 'medssl-bench\[pandas\]'$"):
        ran[1].leaderboard.to_frame()


def test_progress_is_shown_on_the_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "suite.toml").write_text(SUITE.replace("epochs = 3", "epochs = 1"), "utf-8")
    suite = Suite.load(tmp_path / "suite.toml")
    plugins = len(suite.plugins.manager.get_plugins())
    run(suite, store=tmp_path / "store", data_dir=tmp_path)
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert lines[0].startswith("interrupted: 2 stages to run, 0 done already, about ")
    assert lines[1].startswith("[1/2] table · ")
    assert lines[-1].startswith("interrupted: 2 done in ")
    assert shown.out == ""
    assert len(suite.plugins.manager.get_plugins()) == plugins, "the next run of the suite is shown once"
    run(suite, store=tmp_path / "other", data_dir=tmp_path, progress=False)
    assert capsys.readouterr() == ("", "")
