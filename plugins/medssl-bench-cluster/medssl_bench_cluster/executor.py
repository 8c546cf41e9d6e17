"""What the executors of all engines have in common: their parameters, and how a run becomes jobs."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from medssl_bench.executors import Executor, Job
from medssl_bench_cluster.units import PACK_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.plugin.watching import Outcome
    from medssl_bench_cluster.engine import Engine
    from medssl_bench_cluster.settings import Settings

_RESOURCES = ("cpus", "gpus", "mem_gb", "minutes", "partition", "account", "options")
_WORKER = ("checkpoint_seconds", "deterministic", "graphs")


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The parameters of an executor whose stages an engine places; a subclass says which engine.

    Class attributes:
        name: what suites and commands call the executor, and the table of profiles.
        limits_time: whether jobs have a time limit.

    Args:
        profile: file that says what jobs ask for; by default ``cluster.toml`` in the user's configuration folder.
        cpus: cores of a job, and its threads, which decide the last digits of results; 4 by default.
        gpus: devices of a job.
        mem_gb: memory of a job in GiB; by default by records of like stages, or what the cluster gives.
        minutes: time of a job; by default three times what is expected and five minutes, if the cluster gives that.
        partition: of the cluster.
        account: that is billed.
        options: further options, in the engine's own words.
        pack_seconds: how long the short stages that one job does are expected to take together.
        max_jobs: how many jobs are queued or run at a time.
        poll_seconds: between two questions to the engine; while nothing changes it is asked less often.
        lag_seconds: how long the shared disk may not show what another machine has written.
        detach: submit all jobs, each after those that it builds on, and go.
        checkpoint_seconds: time between two checkpoints of a training; as of `local`.
        deterministic: as of `local`.
        graphs: as of `local`.
    """

    name: ClassVar[str]
    limits_time: ClassVar[bool] = True

    profile: str | None = None
    cpus: Annotated[int, Field(ge=1)] | None = None
    gpus: Annotated[int, Field(ge=0)] | None = None
    mem_gb: Annotated[float, Field(gt=0)] | None = None
    minutes: Annotated[int, Field(ge=1)] | None = None
    partition: str | None = None
    account: str | None = None
    options: list[str] | None = None
    pack_seconds: Annotated[float, Field(gt=0)] = PACK_SECONDS
    max_jobs: Annotated[int, Field(ge=1)] = 64
    poll_seconds: Annotated[float, Field(gt=0)] = 5.0
    lag_seconds: Annotated[float, Field(gt=0)] = 60.0
    detach: bool = False
    checkpoint_seconds: Annotated[float, Field(gt=0)] | None = None
    deterministic: bool = False
    graphs: bool = True

    @abstractmethod
    def engine(self) -> Engine:
        """Return what places the jobs."""

    def health(self) -> list[tuple[str, str, bool]]:
        """Return what `doctor` says of the engine, as `Executor.health` does."""
        return []

    def build(self) -> Executor:
        """Make the executor."""
        return ClusterExecutor(self)

    def component(self) -> dict[str, Any]:
        """Return the executor as the ledger names it: what differs from the defaults, JSON-able."""
        given = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "detach"}
        defaults = {field.name: field.default for field in fields(self)}
        return {"name": self.name, **{name: value for name, value in given.items() if value != defaults[name]}}


class ClusterExecutor(Executor):
    """Has stages done by the jobs of an engine.

    Args:
        cluster: which engine, and how.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @property
    def engine(self) -> Engine:
        """What places the jobs."""
        return self._cluster.engine()

    def run(self, job: Job) -> list[Outcome]:
        """Run the stages; errors as of `Driver.run`."""
        from medssl_bench_cluster.driver import Driver

        return Driver(job, self.engine, self.settings(job)).run()

    def health(self) -> list[tuple[str, str, bool]]:
        """Return what is to be said of the engine."""
        return self._cluster.health()

    def outline(self, job: Job) -> list[str]:
        """Return which jobs there would be, what they would ask for, and how long they would take."""
        from medssl_bench_cluster.outline import outline

        return outline(job, self._cluster.name, self.settings(job))

    def settings(self, job: Job) -> Settings:
        """Return how the jobs of a run are made.

        Raises:
            UserError: the profile is not valid.
        """
        from medssl_bench.plan.estimates import Estimates
        from medssl_bench_cluster.resources import Profile, Requests
        from medssl_bench_cluster.settings import Settings

        cluster = self._cluster
        overrides: Mapping[str, Any] = {name: getattr(cluster, name) for name in _RESOURCES}
        profile = Profile.load(cluster.name, Path(cluster.profile) if cluster.profile else None, overrides)
        records = list(job.store.records())
        estimates = Estimates(records, None, job.device, elsewhere=True)
        found = {stage.key: estimates.of(stage) for stage in job.stages}
        seconds = {key: estimate.seconds for key, estimate in found.items() if estimate is not None}
        return Settings(
            executor=cluster.component(),
            resources=Requests(profile, seconds, records, limits_time=cluster.limits_time).of,
            worker={name: getattr(cluster, name) for name in _WORKER},
            seconds=seconds,
            pack_seconds=cluster.pack_seconds,
            max_jobs=cluster.max_jobs,
            poll_seconds=cluster.poll_seconds,
            lag_seconds=cluster.lag_seconds,
            detach=cluster.detach,
        )
