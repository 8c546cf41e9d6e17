"""How the jobs of a run are made and followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from medssl_bench_cluster.units import PACK_SECONDS

if TYPE_CHECKING:
    from medssl_bench_cluster.engine import Resources
    from medssl_bench_cluster.units import Unit


@dataclass(frozen=True)
class Settings:
    """How jobs are made and followed.

    Attributes:
        executor: the component that suites and commands name, JSON-able, for the ledger.
        resources: what a unit asks for.
        worker: of the `LocalExecutor` in a worker.
        seconds: how long each stage is expected to take, by key.
        pack_seconds: how long a pack is expected to take at most.
        max_jobs: how many jobs are queued or run at a time.
        poll_seconds: between two questions to the engine; while nothing changes it is asked less often.
        lag_seconds: for which a shared disk may not show what another machine has written.
        detach: whether to submit and go.
    """

    executor: Mapping[str, Any]
    resources: Callable[[Unit], Resources]
    worker: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    pack_seconds: float = PACK_SECONDS
    max_jobs: int = 64
    poll_seconds: float = 5.0
    lag_seconds: float = 60.0
    detach: bool = False
