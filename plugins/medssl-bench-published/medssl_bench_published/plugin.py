"""The hook: what this plugin registers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench import hookimpl

if TYPE_CHECKING:
    from medssl_bench.plugin.registry import Register


@hookimpl
def medssl_references(register: Register) -> None:
    """Register the published tables."""
    register("medmnist_v2", "medssl_bench_published.tables:medmnist_v2")
    register("medmnist_plus", "medssl_bench_published.tables:medmnist_plus")
