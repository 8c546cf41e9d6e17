"""The store of a tiny suite that was really run, and what figures are drawn from."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from results.conftest import with_printed

from medssl_bench import run
from medssl_bench.datasets import DatasetContext
from medssl_bench.figures.material import FigureSource
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.stage import Plan
from medssl_bench.plugin.manager import Plugins
from medssl_bench.results.tables import TableResult
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite
from medssl_bench.suite.table import Table

SUITE = """\
schema = 1
name = "tiny"
draws = [0, 1]

[dataset.bloodmnist]
name = "phantom_cells"
train = 90
val = 40
test = 60

[dataset.second]
name = "phantom_cells"
seed = 1
train = 60
val = 30
test = 50

[encoder.small]
name = "timm"
model = "test_resnet"

[encoder.other]
name = "timm"
model = "test_efficientnet"

[pretraining.first]
encoder = "small"
augmentation = ["resized_crop", "horizontal_flip"]
epochs = 4
batch_size = 30
validate_every = 2

[pretraining.waving]
extends = "first"
schedule = { period = 1 }

[[comparison]]
id = "main"
title = "Is $it$ worth it?"
datasets = ["bloodmnist"]
labels = [20, 40, "all"]
baseline = "supervised"
encoder = "small"
analyses = ["silhouette"]
reference = "printed:main"

  [[comparison.arm]]
  name = "supervised"
  evaluator = { name = "finetune", epochs = 4, validate_every = 1 }

  [[comparison.arm]]
  name = "frozen"
  pretraining = ["first"]
  evaluator = { name = "linear_probe", epochs = 12, validate_every = 1 }

  [[comparison.arm]]
  name = "waving, unfrozen"
  pretraining = ["waving"]
  evaluator = { name = "finetune", epochs = 4, validate_every = 1 }

[[comparison]]
id = "chain"
datasets = ["second"]
labels = [20]
floors = []
metrics = ["accuracy"]

  [[comparison.arm]]
  name = "twice"
  pretraining = [{ recipe = "first", on = "bloodmnist" }, "waving"]
  evaluator = "knn"

[[comparison]]
id = "depth"
title = "Depth"
datasets = ["bloodmnist", "second"]
labels = ["all"]
floors = ["majority"]

  [[comparison.arm]]
  name = "small"
  encoder = "small"
  evaluator = { name = "finetune", epochs = 3, validate_every = 1 }

  [[comparison.arm]]
  name = "other"
  encoder = "other"
  evaluator = { name = "finetune", epochs = 3, validate_every = 1 }
"""


@dataclass(frozen=True)
class Ran:
    """A suite that was run."""

    suite: Suite
    plan: Plan
    store: Store
    context: DatasetContext

    def source(self, **options: object) -> FigureSource:
        return FigureSource(self.suite, self.plan, self.store, self.context, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    return with_printed()


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory, plugins: Plugins) -> Ran:
    folder = tmp_path_factory.mktemp("figures")
    (folder / "tiny.toml").write_text(SUITE, "utf-8")
    suite = Suite.load(folder / "tiny.toml", plugins)
    result = run(suite, store=folder / "store", data_dir=folder / "data", device="cpu")
    assert not result.failed, result.failed
    context = DatasetContext(folder / "data", folder / "cache")
    return Ran(suite, build_plan(suite, context), Store(folder / "store"), context)


@pytest.fixture
def source(ran: Ran) -> FigureSource:
    return ran.source()


def table_of(source: FigureSource, name: str) -> tuple[Table, TableResult]:
    (found,) = [(table, result) for table, result in source.tables() if table.id == name]
    return found
