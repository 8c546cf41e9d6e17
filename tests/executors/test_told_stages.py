"""Watchers are told the same of each kind of stage, whether it runs in this process or in another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from medssl_bench import hookimpl, run
from medssl_bench.datasets import DatasetContext
from medssl_bench.plan.build import build_plan
from medssl_bench.plugin.watching import Outcome, RunInfo, StageInfo
from medssl_bench.suite.suite import Suite

SUITE = """
schema = 1
name = "told"
floors = []

[dataset.here]
name = "phantom_cells"
train = 40
val = 20
test = 20

[pretraining.short]
encoder = { name = "timm", model = "test_resnet" }
augmentation = "plain"
epochs = 1
batch_size = 20

[[comparison]]
id = "table"
datasets = ["here"]
labels = [20]
encoder = { name = "timm", model = "test_resnet" }
analyses = ["silhouette"]
corrupted = { ops = ["gaussian_noise"], severities = [1] }
test_on = [{ name = "phantom_cells", train = 40, val = 20, test = 20, seed = 7 }]

  [[comparison.arm]]
  name = "probed"
  pretraining = ["short"]
  evaluator = { name = "linear_probe", epochs = 1 }
"""


class Seeing:
    def __init__(self) -> None:
        self.run: list[StageInfo] = []
        self.begun: list[StageInfo] = []
        self.ended: list[StageInfo] = []

    @hookimpl
    def medssl_run_begins(self, run: RunInfo) -> None:
        self.run = list(run.stages)

    @hookimpl
    def medssl_stage_begins(self, stage: StageInfo) -> None:
        self.begun.append(stage)

    @hookimpl
    def medssl_stage_ends(self, stage: StageInfo, outcome: Outcome) -> None:
        assert (outcome.stage, outcome.status) == (stage, "done")
        self.ended.append(stage)


@pytest.mark.parametrize("executor", ["local", "isolated"])
def test_every_kind_of_stage_says_what_it_is_of(executor: str, tmp_path: Path) -> None:
    (tmp_path / "suite.toml").write_text(SUITE)
    suite, seeing = Suite.load(tmp_path / "suite.toml"), Seeing()
    planned = [s.info() for s in build_plan(suite, DatasetContext(tmp_path, tmp_path)).stages.values()]
    assert {info.kind for info in planned} == {"pretrain", "embed", "evaluate", "analyse", "corrupt", "transfer"}
    assert all(info.arms and info.parameters and info.recipe == "short" for info in planned)
    suite.plugins.manager.register(seeing)
    run(suite, store=tmp_path / "store", data_dir=tmp_path, executor=executor, device="cpu", progress=False)
    assert seeing.begun == seeing.ended == planned
    assert [info.parameters for info in seeing.run] == [info.parameters for info in planned]
