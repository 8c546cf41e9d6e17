"""Plans of suites that tests write; MedMNIST's published checksums and counts let them be made without data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from medssl_bench.datasets import DatasetContext
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.lookup import find_trial
from medssl_bench.plan.selection import Selection
from medssl_bench.plan.stage import Plan, Stage
from medssl_bench.plugin.manager import Plugins, load_plugins
from medssl_bench.suite.suite import Suite

PlanOf = Callable[..., Plan]

SUITE = """\
schema = 1
name = "small"
seeds = [0]
draws = [0]
floors = ["majority", "untrained"]

[pretraining.nat]
method = "simclr"
encoder = "resnet18"
augmentation = "simclr"
epochs = 10

[[comparison]]
id = "table"
datasets = ["bloodmnist"]
labels = [100, "all"]
baseline = "tuned"

  [[comparison.arm]]
  name = "scratch"
  evaluator = "finetune"

  [[comparison.arm]]
  name = "probed"
  pretraining = ["nat"]
  evaluator = "linear_probe"

  [[comparison.arm]]
  name = "tuned"
  pretraining = ["nat"]
  evaluator = "finetune"
"""


def changed(*changes: tuple[str, str]) -> str:
    """Return the suite with each of some texts, which stand in it once, replaced."""
    text = SUITE
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def of_kind(plan: Plan, kind: str) -> list[Stage]:
    return [stage for stage in plan.stages.values() if stage.kind == kind]


def keys(plan: Plan, kind: str) -> set[str]:
    return {stage.key for stage in of_kind(plan, kind)}


def stage_of(plan: Plan, **wanted: str | int) -> Stage:
    """Return the stage of the first trial with these properties."""
    return plan.stages[find_trial(plan, **wanted).stage]


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    return load_plugins()


@pytest.fixture
def suite_of(tmp_path: Path, plugins: Plugins) -> Callable[[str], Suite]:
    def suite_of(text: str) -> Suite:
        (tmp_path / "suite.toml").write_text(text, "utf-8")
        return Suite.load(tmp_path / "suite.toml", plugins)

    return suite_of


@pytest.fixture
def plan_of(suite_of: Callable[[str], Suite], tmp_path: Path) -> PlanOf:
    """Return the plan of a suite, or of what a selection leaves of it."""

    def plan_of(text: str, **selected: object) -> Plan:
        context = DatasetContext(tmp_path / "data", tmp_path / "cache")
        return build_plan(suite_of(text), context, Selection(**selected))  # type: ignore[arg-type]

    return plan_of
