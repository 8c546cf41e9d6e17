"""The hook: what this plugin registers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench import hookimpl
from medssl_bench_cluster.ray_engine import Ray
from medssl_bench_cluster.slurm import Slurm

if TYPE_CHECKING:
    from medssl_bench.plugin.registry import Register


@hookimpl
def medssl_executors(register: Register) -> None:
    """Register the executors."""
    register("ray", Ray)
    register("slurm", Slurm)
