"""Executors: where and in which order stages run."""

from medssl_bench.executors.base import Executor, Job, Watchers

__all__ = ["Executor", "Job", "Watchers"]
