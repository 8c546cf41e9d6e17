"""What `plan` says of a run on a cluster: its jobs, what they ask for, and how long they are expected to take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from medssl_bench.progress.words import duration
from medssl_bench_cluster.units import Unit, units_of

if TYPE_CHECKING:
    from medssl_bench.executors import Job
    from medssl_bench_cluster.engine import Resources
    from medssl_bench_cluster.settings import Settings


def outline(job: Job, name: str, settings: Settings) -> list[str]:
    """Return lines on the jobs of a run, those together that hold and ask for the same.

    Args:
        job: the stages that are not done.
        name: of the executor.
        settings: how jobs are made.
    """
    units = units_of(job.stages, settings.seconds, settings.pack_seconds)
    groups: dict[tuple[str, str], list[Unit]] = {}
    for unit in units:
        kinds = "+".join(dict.fromkeys(stage.kind for stage in unit.stages))
        groups.setdefault((kinds, _asks(settings.resources(unit))), []).append(unit)
    asked = [(settings.resources(unit), unit.seconds / 3600) for unit in units]
    cores = sum(resources.cpus * hours for resources, hours in asked)
    devices = sum(resources.gpus * hours for resources, hours in asked)
    used = f"{cores:,.1f} core hours" + (f" and {devices:,.1f} GPU hours" if devices else "")
    lines = [f"{name}: {len(units):,} jobs, at most {settings.max_jobs} at a time, about {used} in all"]
    for (kinds, asks), members in groups.items():
        lines.append(f"  {len(members):,} x {kinds}: {asks}; {_stages(members)}, {_time(members)} each")
    threads = sorted({resources.cpus for resources, _ in asked})
    lines.append(
        f"  threads of each job: {', '.join(map(str, threads))} (cpus); they decide the last digits of results"
    )
    return lines


def _asks(asks: Resources) -> str:
    minutes, memory = asks.minutes or asks.wished_minutes, asks.mem_gb or asks.wished_mem_gb
    parts = [
        f"{asks.cpus} {'core' if asks.cpus == 1 else 'cores'}",
        f"{asks.gpus} GPU{'s' if asks.gpus > 1 else ''}" if asks.gpus else "",
        f"{memory:g} GiB" if memory else "",
        f"{minutes:,} min" if minutes else "",
        f"partition {asks.partition}" if asks.partition else "",
        f"account {asks.account}" if asks.account else "",
        " ".join(asks.options),
    ]
    return ", ".join(filter(None, parts))


def _stages(units: Sequence[Unit]) -> str:
    numbers = sorted(len(unit.stages) for unit in units)
    span = f"{numbers[0]}" if numbers[0] == numbers[-1] else f"{numbers[0]} to {numbers[-1]}"
    return f"{span} {'stage' if numbers[-1] == 1 else 'stages'}"


def _time(units: Sequence[Unit]) -> str:
    times = sorted(unit.seconds for unit in units)
    first, last = duration(times[0]), duration(times[-1])
    return f"about {first}" if first == last else f"about {first} to {last}"
