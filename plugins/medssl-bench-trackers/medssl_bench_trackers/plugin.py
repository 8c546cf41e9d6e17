"""Registers the trackers; their packages are imported when a run begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench import hookimpl

if TYPE_CHECKING:
    from medssl_bench.plugin.registry import Register


@hookimpl
def medssl_watchers(register: Register) -> None:
    """Register the trackers."""
    register("tensorboard", "medssl_bench_trackers.tensorboard:TensorBoard")
    register("wandb", "medssl_bench_trackers.weights_and_biases:WeightsAndBiases")
    register("mlflow", "medssl_bench_trackers.mlflow:MLflow")
