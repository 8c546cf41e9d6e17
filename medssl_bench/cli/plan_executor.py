"""How an executor would run what a plan has left: the lines below the table of ``plan --executor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.cli.options import parse_executor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.datasets import DatasetContext
    from medssl_bench.executors import Executor
    from medssl_bench.plan.stage import Stage
    from medssl_bench.store.store import Store
    from medssl_bench.suite.suite import Suite


def outline(
    suite: Suite,
    store: Store,
    context: DatasetContext,
    device: str,
    stages: Sequence[Stage],
    executor: str,
    settings: Sequence[str],
) -> list[str]:
    """Return what an executor says of the stages that are left.

    Raises:
        UserError: there is no such executor, its parameters are not valid, or it cannot run the stages.
    """
    from medssl_bench.executors import Job, Watchers
    from medssl_bench.plugin.guarded import make

    registry = suite.plugins.registry
    chosen = registry.resolve_or_raise("executor", parse_executor(executor, settings))
    runner: Executor = make(registry, chosen)
    watchers = Watchers(suite.plugins.manager)
    return runner.outline(Job(tuple(stages), registry, store, context, device, watchers)) if stages else []
