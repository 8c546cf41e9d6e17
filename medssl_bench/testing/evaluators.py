"""The contract of evaluators: on data of every task and channel count."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from medssl_bench.checkpoints import Checkpoints
from medssl_bench.datasets import Split, Task
from medssl_bench.datasets.base import LABELLED_TASKS
from medssl_bench.evaluators.base import Evaluation, Evaluator, Passes, Trial
from medssl_bench.evaluators.candidates import judged_on_validation
from medssl_bench.evaluators.check_evaluation import wrong_with, wrong_with_report
from medssl_bench.evaluators.classification import probabilities
from medssl_bench.store.tensors import save_tensors
from medssl_bench.testing.asked_metric import follows
from medssl_bench.testing.checking import Failed, Group, require, untouched_generators
from medssl_bench.testing.interrupting import interrupted
from medssl_bench.testing.trials import judge, judged_task, make_trial
from medssl_bench.training.features import features_of

Build = Callable[[], Evaluator]
Whole = Callable[[], Evaluation]
"""Gives what is found of the plain trial, which others are compared with: evaluated once."""


def evaluator_steps(build: Build) -> list[Group]:
    """Return the steps for an evaluator.

    Args:
        build: makes it; its parameter ``epochs``, if it has one, being small.

    Raises:
        Failed: what it makes is no evaluator, or one that refuses everything.
    """
    made = build()
    require(isinstance(made, Evaluator), f"the factory gives {type(made).__name__}, not an Evaluator")
    task = judged_task(made)
    whole = cache(lambda: judge(build(), make_trial(build(), task)))
    groups: list[Group] = [
        [(f"{each}, {'grey' if channels == 1 else 'RGB'}", partial(_judges, build, each, channels))]
        for each in LABELLED_TASKS
        for channels in (1, 3)
    ]
    groups.append([("what it gives beside scores", lambda: _gives(build, task))])
    if made.analysis:
        return [*groups, [("the same seed gives the same numbers", lambda: _repeats(build, task, whole))]]
    return [
        *groups,
        [("the same seed gives the same scores", lambda: _repeats(build, task, whole))],
        [
            ("every way to choose the epoch", lambda: _selections(build, task, whole)),
            ("the epoch is chosen by the metric that is asked for", lambda: follows(build, task)),
            ("interrupted, it goes on to the same scores", lambda: _resumes(build, task, whole)),
            ("judged together, each cell has the scores that it has alone", lambda: _together(build, task)),
            ("labels that were not drawn are not used", lambda: _blind(build, task, whole)),
            ("images and labels are left as they are", lambda: _keeps_input(build, task)),
            ("global random state is untouched", lambda: _untouched(build, task)),
        ],
        [
            ("validation labels are used only if it says so", lambda: _unvalidated(build, task, whole)),
            ("validation images can stand in place of the test images, as `tune` needs", lambda: _tunable(build, task)),
        ],
    ]


def _judges(build: Build, task: Task, channels: int) -> str:
    evaluator = build()
    trial = make_trial(evaluator, task, channels)
    reason = evaluator.refuses(trial.info)
    if reason:
        return f"refused: {reason}"
    if evaluator.tries_encoder:
        evaluator.try_encoder(trial.encoder())
    seen = evaluator.images_seen(len(trial.train))
    require(isinstance(seen, int) and seen >= 0, f"images_seen gives {seen!r}, not a number of images")
    passes = evaluator.passes(len(trial.train))
    require(
        passes is None or (isinstance(passes, Passes) and min(vars(passes).values()) > 0),
        f"passes gives {passes!r}, not Passes of numbers above 0",
    )
    found = judge(evaluator, trial)
    if evaluator.analysis:
        return _describes(found)
    _check_scores(found.scores, trial)
    if found.last_scores is not None:
        _check_scores(found.last_scores, trial)
    if found.val_scores is not None:
        _check_scores(found.val_scores, trial, len(trial.val), "val_scores")
    if "encoder" in found.weights:
        trial.encoder().load_state_dict(found.weights["encoder"])
    if evaluator.keeps_head:
        _check_head(found, trial)
    return "probabilities of every test image"


def _check_head(found: Evaluation, trial: Trial) -> None:
    """Check that the layer that is kept gives the scores, so that it can predict other images."""
    head = found.weights.get("head", {})
    require(head.keys() == {"weight", "bias"}, "it leaves no linear layer as head, but its keeps_head is True")
    if trial.features is None:
        encoder = trial.encoder()
        encoder.load_state_dict(found.weights.get("encoder", encoder.state_dict()))
        features = features_of(encoder, trial.splits["test"], trial.device)
    else:
        features = trial.features["test"]
    scores = probabilities(trial.info.task, F.linear(features, head["weight"].cpu(), head["bias"].cpu()))
    apart = float(np.abs(scores - np.asarray(found.scores)).max())
    require(apart < 1e-3, f"the layer that it leaves gives scores that differ by up to {apart:.2g} from its own")


def _gives(build: Build, task: Task) -> str:
    """Check what it gives beside the scores, and what it reports meanwhile, as a stage does."""

    def report(index: int, total: int, metrics: Mapping[str, float]) -> None:
        wrong = wrong_with_report(index, total, metrics)
        require(not wrong, f"it reports {wrong}")

    evaluator = build()
    found = judge(evaluator, replace(make_trial(evaluator, task), report=report))
    wrong = wrong_with(found, evaluator)
    require(not wrong, f"it gives {wrong}")
    with tempfile.TemporaryDirectory() as folder:
        for name, tensors in found.weights.items():
            save_tensors(tensors, Path(folder) / f"{name}.safetensors")
    given = [*found.metrics, *found.flags, *found.weights, *found.arrays]
    return ", ".join(given) or "nothing else"


def _describes(found: Evaluation) -> str:
    require(found.scores is None, "an analysis predicts nothing, but this one gives scores")
    require(found.metrics, "it measures nothing")
    return ", ".join(f"{name} {value}" for name, value in found.metrics.items())


def _check_scores(
    scores: NDArray[np.float32] | None, trial: Trial, images: int | None = None, name: str = "scores"
) -> None:
    wanted = (len(trial.splits["test"]) if images is None else images, len(trial.info.classes))
    require(scores is not None, "it gives no scores")
    require(isinstance(scores, np.ndarray), f"its {name} are {type(scores).__name__}, not a NumPy array")
    assert scores is not None
    require(scores.shape == wanted, f"{name} have shape {scores.shape}, not {wanted}")
    require(np.isfinite(scores).all(), "some scores are not finite numbers")
    low, high = float(scores.min()), float(scores.max())
    require(low >= -1e-6 and high <= 1 + 1e-6, f"scores run from {low:.3g} to {high:.3g}; they are probabilities")
    if trial.info.task is not Task.MULTI_LABEL:
        worst = float(np.abs(scores.sum(axis=1) - 1).max())
        require(worst < 1e-3, f"the scores of an image sum to 1 only within {worst:.2g}")


def _same(first: Evaluation, second: Evaluation) -> bool:
    """Return whether two evaluations found the same, to the bit."""
    if first.scores is None or second.scores is None:
        return first.scores is second.scores and first.metrics == second.metrics
    return np.array_equal(first.scores, second.scores)


def _repeats(build: Build, task: Task, whole: Whole) -> str:
    evaluator = build()
    what = "numbers" if evaluator.analysis else "scores"
    first, second = whole(), judge(build(), make_trial(evaluator, task))
    require(_same(first, second), f"two runs of one seed give different {what}")
    alike = _same(first, judge(build(), make_trial(evaluator, task, seed=1)))
    if not evaluator.analysis:  # the seed of an analysis always counts
        require(alike or evaluator.uses_seed, "another seed gives other scores, but uses_seed is False")
    return f"to the bit; another seed gives {'the same' if alike else 'others'}"


def _selections(build: Build, task: Task, whole: Whole) -> str:
    evaluator = build()
    _check_scores(whole().scores, make_trial(evaluator, task))
    for selection in ("last", "test"):
        trial = make_trial(evaluator, task, selection=selection)
        _check_scores(judge(build(), trial).scores, trial)
    trial = replace(make_trial(evaluator, task), val=np.empty(0, dtype=np.int64))
    _check_scores(judge(build(), trial).scores, trial)
    return "validation, last, test, and without validation labels"


def _resumes(build: Build, task: Task, whole: Whole) -> str:
    """Check that a training ends the same if it is interrupted at its first few checkpoints.

    That is at all of them in one training; if that ends as another, at each alone, to say which it is.
    """
    trial = make_trial(build(), task)

    def evaluate(checkpoints: Checkpoints) -> Evaluation:
        return judge(build(), replace(trial, checkpoints=checkpoints))

    found, times = interrupted(evaluate, [0] * 3)
    if not times:
        return "it saves no checkpoints"
    if not _same(whole(), found):
        for place in range(times):
            same = _same(whole(), interrupted(evaluate, [place])[0])
            require(same, f"its scores are others if it is interrupted at checkpoint {place + 1}")
        raise Failed("its scores are others if it is interrupted several times")
    return "to the bit"


def _together(build: Build, task: Task) -> str:
    """Check that it does not matter which cells are judged at once."""
    evaluator = build()
    if not evaluator.judges_together:
        return "it judges one cell at a time"
    first = make_trial(evaluator, task)
    trials = [first, replace(first, seed=1), replace(first, train=first.train[::2])]
    found = build().evaluate_together(trials)
    require(len(found) == len(trials), f"evaluate_together gives {len(found)} evaluations of {len(trials)} cells")
    for place, (trial, together) in enumerate(zip(trials, found, strict=True)):
        same = _same(together, judge(build(), trial))
        require(same, f"the scores of cell {place + 1} are others when it is judged with {len(trials) - 1} others")
    return "to the bit"


def _blind(build: Build, task: Task, whole: Whole) -> str:
    """Check that nothing changes with labels that are not to be looked at."""
    evaluator = build()
    trial = make_trial(evaluator, task)
    drawn = {"train": trial.train, "val": trial.val, "test": np.empty(0, dtype=np.int64)}
    hidden = {}
    for name, split in trial.splits.items():
        labels = np.zeros_like(split.labels)
        labels[drawn[name]] = split.labels[drawn[name]]
        hidden[name] = Split(split.images, labels)
    same = _same(whole(), judge(build(), replace(trial, splits=hidden)))
    require(same, "its scores change with labels of the test images, or with others that were not drawn")
    return "yes"


def _unvalidated(build: Build, task: Task, whole: Whole) -> str:
    """Check that what says it uses no validation labels gives the same whichever there are, or none."""
    evaluator = build()
    if evaluator.uses_validation:
        return "it says that it may use them"
    trial = make_trial(evaluator, task)
    val = trial.splits["val"]
    turned = replace(trial, splits={**trial.splits, "val": Split(val.images, val.labels[::-1].copy(), val.groups)})
    for other in (replace(trial, val=trial.val[:0]), replace(trial, val=trial.val[::2]), turned):
        found = judge(build(), other)
        require(
            _same(whole(), found) and _noted(whole()) == _noted(found),
            "uses_validation is False, but what it gives changes with the labelled validation images; "
            "set it to True, or leave trial.val and trial.choice() alone",
        )
    return "none are used"


def _tunable(build: Build, task: Task) -> str:
    """Check that it predicts other images in place of the test images."""
    evaluator = build()
    if evaluator.needs == "labels":
        return "it gets no validation labels, so nothing of it is chosen"
    trial = judged_on_validation(make_trial(evaluator, task))
    _check_scores(judge(build(), trial).scores, trial)
    return f"scores of {len(trial.splits['test'])} images"


def _noted(found: Evaluation) -> str:
    """Return what is kept beside the scores, but for weights and arrays."""
    return json.dumps([found.selected_epoch, found.metrics, found.history])


def _keeps_input(build: Build, task: Task) -> str:
    evaluator = build()
    trial = make_trial(evaluator, task)
    before = {name: (split.images.copy(), split.labels.copy()) for name, split in trial.splits.items()}
    kept = {name: value.clone() for name, value in (trial.features or {}).items()}
    judge(evaluator, trial)
    for name, split in trial.splits.items():
        require(np.array_equal(split.images, before[name][0]), f"it changes the images of the {name} split")
        require(np.array_equal(split.labels, before[name][1]), f"it changes the labels of the {name} split")
    for name, value in (trial.features or {}).items():
        require(torch.equal(value, kept[name]), f"it changes the features of the {name} split")
    return "yes"


def _untouched(build: Build, task: Task) -> str:
    """Check all that a run calls; evaluate may draw from the global generators, which are forked around it."""
    with untouched_generators():
        evaluator = build()
        trial = make_trial(evaluator, task)
        evaluator.refuses(trial.info)
        evaluator.images_seen(len(trial.train))
        evaluator.passes(len(trial.train))
        judge(evaluator, trial)
    return "yes"
