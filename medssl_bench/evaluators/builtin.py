"""The built-in evaluators. Importing this module imports no torch: plans are made without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.plugin.markers import hookimpl

if TYPE_CHECKING:
    from medssl_bench.plugin.registry import Register

_HERE = "medssl_bench.evaluators"


@hookimpl
def medssl_evaluators(register: Register) -> None:
    """Register the evaluators that come with the harness."""
    # 2: a last batch of one image counts too, and every record has its loss_gap
    register("linear_probe", f"{_HERE}.linear_probe:LinearProbe", revision=2)
    # 2: solved by Newton's method, nearer to the optimum
    register("logistic", f"{_HERE}.logistic:Logistic", revision=2)
    register("finetune", f"{_HERE}.finetune:FineTune")
    register("knn", f"{_HERE}.knn:NearestNeighbours")
    register("majority", f"{_HERE}.majority:Majority")
    register("silhouette", f"{_HERE}.silhouette:Silhouette")
    register("health", f"{_HERE}.health:Health")
    register("embedding", f"{_HERE}.embedding:Embedding")
