"""A plugin whose metrics are broken, each in its own way."""

import numpy as np

from medssl_bench import hookimpl
from medssl_bench.datasets import Task
from medssl_bench.metrics import Metric


def _right(given):
    return given.scores.argmax(axis=1) == given.labels[:, 0]


def _share(given):
    return float(_right(given).mean())


def _writes(given):
    value = float(_right(given).mean())
    given.scores[:] = 0
    return value


def _draws(given):
    np.random.random()  # noqa: NPY002 - this is what is wrong with it
    return float(_right(given).mean())


def _metric(measure, **declared):
    def factory():
        """Broken."""
        return Metric(measure, tasks=(Task.MULTI_CLASS,), **declared)

    return factory


@hookimpl
def medssl_metrics(register):
    register("outside", _metric(lambda given: 100 * float(_right(given).mean())))
    register("undefined", _metric(lambda _: None))
    register("upside-down", _metric(lambda given: 1 - float(_right(given).mean())))
    register("modest", _metric(lambda given: 0.5 * float(_right(given).mean())))
    register("ordered", _metric(lambda given: float(np.average(_right(given), weights=np.arange(len(given.labels))))))
    register("overwriting", _metric(_writes))
    register("other-mean", _metric(_share, influence=lambda given: 2.0 * _right(given)))
    register("too-narrow", _metric(_share, influence=lambda given: np.full(len(given.labels), _share(given))))
    register("one-influence", _metric(_share, influence=_share))
    register("drawing", _metric(_draws))
    register("classes", _metric(lambda given: [float(_right(given).mean())], per_class=True))
    register("last", _metric(lambda result: result.history[-1]["val_accuracy"], reads="record"))
    register("empty", _metric(lambda given: float(_right(given).mean()), low=1.0))
