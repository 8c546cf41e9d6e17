"""Metrics: the columns of tables. What a metric is, the built-in ones, and how one is computed."""

from medssl_bench.metrics.metric import Finished, Metric, NotDefined, Predictions

__all__ = ["Finished", "Metric", "NotDefined", "Predictions"]
