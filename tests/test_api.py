"""The Python interface: what a run tells the plugins that watch it."""

from __future__ import annotations

from pathlib import Path

import pytest

from medssl_bench import Suite, hookimpl, run
from medssl_bench.plugin.watching import Outcome, StageInfo

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
