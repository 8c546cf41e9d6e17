"""The built-in executors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench import hookimpl

if TYPE_CHECKING:
    from medssl_bench.executors.base import Executor
    from medssl_bench.plugin.registry import Register


@hookimpl
def medssl_executors(register: Register) -> None:
    """Register the executors that come with the harness."""
    register("local", local)


def local() -> Executor:
    """One stage after the other, in this process."""
    from medssl_bench.executors.local import LocalExecutor

    return LocalExecutor()
