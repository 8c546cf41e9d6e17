"""Trials for the contract of evaluators, as stages make them, and how a trial is judged."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from medssl_bench.datasets import DatasetInfo, Images, Task
from medssl_bench.datasets.base import LABELLED_TASKS
from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.evaluators.base import Evaluation, Evaluator, Trial
from medssl_bench.randomness import forked, stream
from medssl_bench.stages.embed import features
from medssl_bench.testing.checking import Failed, require
from medssl_bench.testing.small_data import SIZE, small_data

_CPU = torch.device("cpu")


def make_trial(
    evaluator: Evaluator,
    task: Task,
    channels: int = 3,
    *,
    selection: Literal["validation", "last", "test"] = "validation",
    seed: int = 0,
) -> Trial:
    """Return a trial with what such an evaluator gets in a run, and nothing else.

    An analysis gets the features, and no labelled images; a floor gets the labels of all training images; any other
    gets some labelled images of the training and of the validation split. One that learns from images without labels
    gets such, too.
    """
    info, splits = small_data(task, channels)
    train, val = np.arange(1, 25), np.arange(1, 11)
    if evaluator.analysis or evaluator.needs == "labels":
        selection, val = "last", np.empty(0, dtype=np.int64)
        train = np.arange(len(splits["train"])) if evaluator.needs == "labels" else val
    embedded = evaluator.analysis or evaluator.needs == "features"
    return Trial(
        info=info,
        splits=splits,
        train=train,
        val=val,
        selection=selection,
        seed=seed,
        device=_CPU,
        encoder=_encoder if evaluator.needs == "encoder" and not evaluator.analysis else _refuse_encoder,
        features=features(_encoder(), splits, _CPU) if embedded else None,
        unlabelled=Images(255 - splits["train"].images[::2]) if evaluator.uses_unlabelled else None,
    )


def judge(evaluator: Evaluator, trial: Trial) -> Evaluation:
    """Run an evaluator on a trial, with the global generators forked as a stage does it.

    Raises:
        Failed: it gives something else than an evaluation.
    """
    with forked(stream("evaluate", seed=trial.seed)):
        found: Any = evaluator.evaluate(trial)
    require(isinstance(found, Evaluation), f"evaluate gives {type(found).__name__}, not an Evaluation")
    return found


def judged_task(evaluator: Evaluator) -> Task:
    """Return the first task that an evaluator does not refuse.

    Raises:
        Failed: it refuses all.
    """
    for task in LABELLED_TASKS:
        if not evaluator.refuses(_info(task)):
            return task
    raise Failed("it refuses data of every task")


def _info(task: Task) -> DatasetInfo:
    return small_data(task, 3)[0]


def _encoder() -> nn.Module:
    with forked(0):
        return TimmEncoder("test_resnet", SIZE)


def _refuse_encoder() -> nn.Module:
    raise Failed("it asks for the encoder; only an evaluator whose needs is 'encoder' gets one, and no analysis does")
