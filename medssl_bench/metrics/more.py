"""Metrics that no record has: torchmetrics computes them from the scores that were kept, when a table asks for them.

Training and evaluation do not import torchmetrics: that takes a process seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.datasets import Task
from medssl_bench.metrics.metric import Metric, Predictions

if TYPE_CHECKING:
    from torch import Tensor

_ONE_CLASS = (Task.MULTI_CLASS, Task.BINARY, Task.ORDINAL)


def f1() -> Metric:
    """F1 score of each class, 2 TP / (2 TP + FP + FN); the column has the mean of classes that images are of."""
    return Metric(_f1, per_class=True, tasks=_ONE_CLASS)


def mcc() -> Metric:
    """Matthews correlation coefficient, of several classes as Gorodkin (2004) has it; 0 is chance, 1 is perfect.

    Where all images are decided to be of one class the formula divides by zero. The value is then 0, as in scikit-learn.
    """
    return Metric(_mcc, low=-1.0, tasks=_ONE_CLASS)


def average_precision() -> Metric:
    """Average precision of each class or label: precisions times steps of recall; of binary data, of class 1."""
    return Metric(_average_precision, per_class=True)


def _f1(given: Predictions) -> list[float | None]:
    from torchmetrics.functional.classification import multiclass_f1_score

    classes = given.scores.shape[1]
    truth, decided = _truth(given), _decided(given)
    found = multiclass_f1_score(decided, truth, num_classes=classes, average=None)
    return [float(value) if (truth == number).any() else None for number, value in enumerate(found)]


def _mcc(given: Predictions) -> float | None:
    from torchmetrics.functional.classification import multiclass_matthews_corrcoef

    if (given.labels == given.labels[0]).all():  # all images are of one class
        return None
    decided = _decided(given)
    if (decided == decided[0]).all():  # torchmetrics has a rule of its own for two classes, with values down to -1
        return 0.0
    return float(multiclass_matthews_corrcoef(decided, _truth(given), num_classes=given.scores.shape[1]))


def _average_precision(given: Predictions) -> list[float | None]:
    import torch
    from torchmetrics.functional.classification import binary_average_precision

    labels, scores = torch.from_numpy(given.labels), torch.from_numpy(given.scores).double()
    found: list[float | None] = []
    for number in range(scores.shape[1]):
        if given.task is Task.BINARY and number == 0:
            found.append(None)
            continue
        is_positive = labels[:, number] if given.task is Task.MULTI_LABEL else (labels[:, 0] == number).long()
        found.append(float(binary_average_precision(scores[:, number], is_positive)) if is_positive.any() else None)
    return found


def _truth(given: Predictions) -> Tensor:
    import torch

    return torch.from_numpy(given.labels[:, 0])


def _decided(given: Predictions) -> Tensor:
    import torch

    return torch.from_numpy(given.scores.argmax(1))
