"""A small plan, and a run of it on the fake engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine
from medssl_bench_cluster.driver import Driver
from medssl_bench_cluster.engine import Resources
from medssl_bench_cluster.settings import Settings
from runs import Run, local_traces, long_suite
from slurm_cluster import SlurmCluster, running_slurm

from medssl_bench import hookimpl
from medssl_bench.datasets import DatasetContext
from medssl_bench.executors import Job, Watchers
from medssl_bench.plan.build import build_plan
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

SUITE = """\
schema = 1
name = "small"
seeds = {seeds}
draws = {draws}

[dataset.cells]
name = "phantom_cells"
train = 60
val = 20
test = 20

[encoder.tiny]
name = "timm"
model = "test_resnet"

[pretraining.simclr]
augmentation = "tau_nat"
encoder = "tiny"
epochs = 2
batch_size = 16

[[comparison]]
id = "few"
datasets = ["cells"]
labels = {labels}
encoder = "tiny"
baseline = "supervised"

  [[comparison.arm]]
  name = "supervised"
  evaluator = {{ name = "finetune", epochs = 2, batch_size = 16 }}

  [[comparison.arm]]
  name = "probe"
  pretraining = ["simclr"]
  evaluator = "linear_probe"

  [[comparison.arm]]
  name = "k-NN"
  pretraining = ["simclr"]
  evaluator = "knn"
"""


class Watching:
    """What watchers were told, in order."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    @hookimpl
    def medssl_stage_queued(self, stage, why):
        self.seen.append((f"queued {why}", stage.key))

    @hookimpl
    def medssl_stage_begins(self, stage):
        self.seen.append(("begins", stage.key))

    @hookimpl
    def medssl_stage_ends(self, stage, outcome):
        self.seen.append((outcome.status, stage.key))

    def of(self, what: str) -> list[str]:
        return [key for said, key in self.seen if said == what]


@pytest.fixture
def watching() -> Watching:
    return Watching()


@pytest.fixture
def make_job(tmp_path: Path, watching: Watching) -> Callable[..., Job]:
    """Return a function that plans the suite."""

    def make(*, seeds=(0, 1), draws=(0, 1), labels=(40,), text: str = SUITE) -> Job:
        file = tmp_path / "small.toml"
        file.write_text(text.format(seeds=list(seeds), draws=list(draws), labels=list(labels)))
        suite = Suite.load(file, load_plugins())
        suite.plugins.manager.register(watching)
        context = DatasetContext(tmp_path, tmp_path)
        stages = tuple(build_plan(suite, context).stages.values())
        store = Store(tmp_path / "store")
        store.prepare()
        return Job(stages, suite.plugins.registry, store, context, "cpu", Watchers(suite.plugins.manager))

    return make


@pytest.fixture
def job(make_job: Callable[..., Job]) -> Job:
    return make_job()


@pytest.fixture
def driver() -> Callable[..., Driver]:
    """Return a function that makes the driver of a run on the fake engine, in the time of the engine."""

    def make(job: Job, engine: FakeEngine, **settings) -> Driver:
        chosen = {
            "executor": {"name": "fake"},
            "resources": lambda _: Resources(cpus=1),
            "seconds": {stage.key: 100.0 for stage in job.stages},
            **settings,
        }
        return Driver(job, engine, Settings(**chosen), clock=engine.clock, pause=engine.pause)

    return make


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder whose name a shell would read in another way, and Slurm too."""
    found = tmp_path / "it's 50%j $HOME"
    found.mkdir()
    return found


@pytest.fixture
def suite(place: Path) -> Path:
    """A suite whose training something can happen to."""
    return long_suite(place)


@pytest.fixture(scope="session")
def slurm_of_this_session() -> Iterator[SlurmCluster]:
    with running_slurm() as found:
        yield found


@pytest.fixture
def slurm(slurm_of_this_session: SlurmCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlurmCluster]:
    """A Slurm, for this process too, on which no run and no job of one test meet the next."""
    monkeypatch.setenv("SLURM_CONF", str(slurm_of_this_session.conf))
    yield slurm_of_this_session
    Run.kill_all()
    slurm_of_this_session.clear()


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Any]:
    """Return a function that gives what a suite gives on one machine, with one thread; each is run once."""
    return local_traces(tmp_path_factory.mktemp("local"))
