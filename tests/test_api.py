"""The Python interface: what a run tells the plugins that watch it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from medssl_bench import Suite, hookimpl, run
from medssl_bench.errors import DamageWarning
from medssl_bench.plugin.watching import Outcome, StageInfo
from medssl_bench.running import RunResult
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
    assert not result.failed, "the same run computes both anew"
    assert {outcome.status for outcome in result.outcomes} == {"done"}
    assert (last / "encoder.safetensors").is_file()
    assert (evaluated / "predictions.npz").is_file()
    assert len(list((tmp_path / "store" / "damaged").iterdir())) == 3
