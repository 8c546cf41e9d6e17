"""The contract of evaluators: on data of every task and channel count."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from medssl_bench.contract.checking import Failed, Step, require, untouched_generators
from medssl_bench.contract.small_data import SIZE, small_data
from medssl_bench.datasets import Split, Task
from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.evaluators.base import Evaluation, Evaluator, Trial
from medssl_bench.randomness import forked
from medssl_bench.stages.embed import features

Build = Callable[[], Evaluator]
_CPU = torch.device("cpu")


def evaluator_steps(build: Build) -> list[Step]:
    """Return the steps for an evaluator.

    Args:
        build: makes it; its parameter ``epochs``, if it has one, being small.
    """
    steps: list[Step] = [
        (f"{task}, {'grey' if channels == 1 else 'RGB'}", partial(_judges, build, task, channels))
        for task in Task
        for channels in (1, 3)
    ]
    if build().analysis:
        return [*steps, ("the same seed gives the same numbers", lambda: _repeats_analysis(build))]
    return [
        *steps,
        ("the same seed gives the same scores", lambda: _repeats(build)),
        ("every way to choose the epoch", lambda: _selections(build)),
        ("labels that were not drawn are not used", lambda: _blind(build)),
        ("images and labels are left as they are", lambda: _keeps_input(build)),
        ("global random state is untouched", lambda: _untouched(build)),
    ]


def _encoder() -> nn.Module:
    with forked(0):
        return TimmEncoder("test_resnet", SIZE)


def _refuse_encoder() -> nn.Module:
    raise Failed("it asks for the encoder, but declares that it needs features or labels alone")


def _trial(evaluator: Evaluator, task: Task = Task.MULTI_CLASS, channels: int = 3, **changes: Any) -> Trial:
    info, splits = small_data(task, channels)
    return Trial(
        info=info,
        splits=splits,
        train=np.arange(1, 25),
        val=np.arange(len(splits["val"])),
        selection=changes.pop("selection", "validation"),
        seed=0,
        device=_CPU,
        encoder=_encoder if evaluator.needs == "encoder" else _refuse_encoder,
        features=features(_encoder(), splits, _CPU) if evaluator.needs == "features" else None,
    )


def _run(evaluator: Evaluator, trial: Trial) -> Evaluation:
    with forked(0):
        found = evaluator.evaluate(trial)
    require(isinstance(found, Evaluation), f"evaluate gives {type(found).__name__}, not an Evaluation")
    return found


def _judges(build: Build, task: Task, channels: int) -> str:
    evaluator = build()
    trial = _trial(evaluator, task, channels)
    reason = evaluator.refuses(trial.info)
    if reason:
        return f"refused: {reason}"
    found = _run(evaluator, trial)
    if evaluator.analysis:
        return _describes(found)
    _check_scores(found.scores, trial)
    if found.last_scores is not None:
        _check_scores(found.last_scores, trial)
    trained = "encoder" in found.weights
    require(
        trained == evaluator.trains_encoder,
        f"it {'leaves' if trained else 'leaves no'} encoder, but trains_encoder is {evaluator.trains_encoder}",
    )
    return "probabilities of every test image"


def _describes(found: Evaluation) -> str:
    require(found.scores is None, "an analysis predicts nothing, but this one gives scores")
    require(found.metrics, "it measures nothing")
    for name, value in found.metrics.items():
        require(math.isfinite(value), f"{name} is {value}")
    return ", ".join(f"{name} {value:.3g}" for name, value in found.metrics.items())


def _check_scores(scores: NDArray[np.float32] | None, trial: Trial) -> None:
    wanted = (len(trial.splits["test"]), len(trial.info.classes))
    require(scores is not None, "it gives no scores")
    assert scores is not None
    require(scores.shape == wanted, f"scores have shape {scores.shape}, not {wanted}")
    require(np.isfinite(scores).all(), "some scores are not finite numbers")
    low, high = float(scores.min()), float(scores.max())
    require(low >= -1e-6 and high <= 1 + 1e-6, f"scores run from {low:.3g} to {high:.3g}; they are probabilities")
    if trial.info.task is not Task.MULTI_LABEL:
        worst = float(np.abs(scores.sum(axis=1) - 1).max())
        require(worst < 1e-3, f"the scores of an image sum to 1 only within {worst:.2g}")


def _scores(build: Build, trial: Trial | None = None) -> NDArray[np.float32]:
    evaluator = build()
    scores = _run(evaluator, trial or _trial(evaluator)).scores
    require(scores is not None, "it gives no scores")
    assert scores is not None
    return scores


def _repeats(build: Build) -> str:
    require(np.array_equal(_scores(build), _scores(build)), "two runs of one seed give different scores")
    return "to the bit"


def _repeats_analysis(build: Build) -> str:
    evaluator = build()
    first, second = (_run(build(), _trial(evaluator)).metrics for _ in range(2))
    require(first == second, f"two runs give {first} and {second}")
    return "to the bit"


def _selections(build: Build) -> str:
    evaluator = build()
    for selection in ("validation", "last", "test"):
        trial = _trial(evaluator, selection=selection)
        _check_scores(_run(build(), trial).scores, trial)
    trial = replace(_trial(evaluator), val=np.empty(0, dtype=np.int64))
    _check_scores(_run(build(), trial).scores, trial)
    return "validation, last, test, and without validation labels"


def _blind(build: Build) -> str:
    evaluator = build()
    if evaluator.needs == "labels":
        return "does not apply: a floor gets all labels"
    trial = _trial(evaluator)
    labels = trial.splits["train"].labels.copy()
    hidden = np.setdiff1d(np.arange(len(labels)), trial.train)
    labels[hidden] = 0
    split = Split(trial.splits["train"].images, labels)
    test = trial.splits["test"]
    flipped = Split(test.images, np.zeros_like(test.labels))
    other = replace(trial, splits={**trial.splits, "train": split, "test": flipped})
    same = np.array_equal(_scores(build, trial), _scores(build, other))
    require(same, "its scores change with labels of the test images or of training images that were not drawn")
    return "yes"


def _keeps_input(build: Build) -> str:
    evaluator = build()
    trial = _trial(evaluator)
    before = {name: (split.images.copy(), split.labels.copy()) for name, split in trial.splits.items()}
    kept = {name: value.clone() for name, value in (trial.features or {}).items()}
    _run(evaluator, trial)
    for name, split in trial.splits.items():
        require(np.array_equal(split.images, before[name][0]), f"it changes the images of the {name} split")
        require(np.array_equal(split.labels, before[name][1]), f"it changes the labels of the {name} split")
    for name, value in (trial.features or {}).items():
        require(torch.equal(value, kept[name]), f"it changes the features of the {name} split")
    return "yes"


def _untouched(build: Build) -> str:
    evaluator = build()
    trial = _trial(evaluator)
    with untouched_generators():
        evaluator.evaluate(trial)
    return "yes"
