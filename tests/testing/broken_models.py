"""A plugin whose encoders, methods and evaluators are broken, each in its own way."""

import random

import numpy as np
import torch
from torch import nn

from medssl_bench import hookimpl
from medssl_bench.checkpoints import TrainingState
from medssl_bench.evaluators import Evaluation, Evaluator
from medssl_bench.methods import Method, Passes, View

_count = iter(range(10**9))


class _Encoder(nn.Module):
    dim = 8

    def __init__(self, mode):
        super().__init__()
        self.layer = nn.Linear(3, 8)
        if mode == "unused":
            self.unused = nn.Linear(2, 2)
        self.mode = mode
        self.secret = torch.rand(8)
        self.recordable = mode in ("warming", "looking")
        self.calls = 0

    def forward(self, images):
        features = self.layer(images.mean((2, 3)))
        if self.mode == "narrow":
            return features[:, :4]
        if self.mode == "batch":
            return features - features.mean(0)
        if self.mode == "frozen":
            return features.detach()
        if self.mode == "secret":
            return features + self.secret
        if self.mode == "warming" and self.training:
            self.calls += 1
            return features * self.calls
        if self.mode == "looking":
            return features if features.sum() > 0 else -features
        if self.mode == "moody":
            return features + torch.rand(8)
        return features


def _encoder(mode):
    def factory(size: int):
        """Broken."""
        return _Encoder(mode)

    return factory


RECORDED = ("schedule", "epochs", "rebinding", "reading", "agreeing")
"""Methods that claim that a step can be recorded."""


class _Method(Method):
    def __init__(self, encoder, mode):
        super().__init__(encoder)
        self.mode = mode
        self.monitor = "nothing" if mode == "monitor" else None
        self.discarded = ("queue",) if mode == "discards" else ()
        self.register_buffer("seen", torch.zeros(()))

        self.calls = 0
        self.recordable = "yes" if mode == "agreeing" else mode in RECORDED
        self.epochs = 0
        self.queue = torch.zeros(())

    def views(self):
        if self.mode == "global":
            np.random.rand()  # noqa: NPY002
        return [View()] * (1 + next(_count) % 2 if self.mode == "views" else 1)

    def on_epoch_start(self, images, progress):
        self.epochs += 1

    def parameter_groups(self, weight_decay):
        groups = super().parameter_groups(weight_decay)
        return [{**group, "lr_scale": 0.0} for group in groups] if self.mode == "idle" else groups

    def forward(self, batch, progress):
        loss = self.encoder(batch.views[0] if batch.views else batch.image).float().square().mean()
        self.seen += self.mode == "state"
        self.calls += self.training or self.mode == "hidden"
        if self.mode == "hidden" or (self.mode == "counting" and self.training):
            loss = loss * self.calls
        if self.mode == "schedule":
            loss = loss * (1 + progress.fraction)
        if self.mode == "epochs":
            loss = loss * self.epochs
        if self.mode == "rebinding" and self.training:
            loss = loss * (1 + self.queue)
            self.queue = loss.detach().clone()
        if self.mode == "reading":
            loss = loss * (1 + float(loss.detach()))
        if self.mode == "nan":
            loss = loss * float("nan")
        if self.mode == "detached":
            loss = loss.detach().requires_grad_()
        if self.mode == "vector":
            loss = loss.expand(2)
        if self.mode == "random":
            loss = loss * (1 + 0.1 * next(_count))
        measured = loss if self.mode == "metric" else loss.detach()
        return loss, {"loss" if self.mode == "hides" else "norm": measured}


def _method(mode):
    def factory(encoder, context):
        """Broken."""
        return _Method(encoder, mode)

    return factory


def _lean(scores, by):
    """Make the first class more likely, for every image."""
    scores[:, 0] += float(by)
    return scores / scores.sum(1, keepdims=True)


_SPOIL = {
    "logits": lambda scores, _: scores + 3,
    "shape": lambda scores, _: scores[:-1],
    "nan": lambda scores, _: np.where(np.arange(len(scores))[:, None] == 3, np.nan, scores),
    "tensor": lambda scores, _: torch.from_numpy(scores),
    "peeks": lambda scores, splits: _lean(scores, splits["train"].labels.mean()),
    "validates": lambda scores, splits: _lean(scores, splits["val"].labels.mean()),
    "tests": lambda scores, splits: np.eye(scores.shape[1], dtype=np.float32)[splits["test"].labels[:, 0]],
    "seed": lambda scores, _: _lean(scores, torch.rand(())),
    "random": lambda scores, _: _lean(scores, 0.001 * next(_count)),
}


def _halves(checkpoints):
    """Add up two numbers, and forget the first if interrupted between them."""
    total = 0.0
    if checkpoints.restore() is None:
        total += 0.5
        if checkpoints.is_due():
            checkpoints.save(TrainingState({}))
    return total + 0.5


class _Evaluator(Evaluator):
    needs = "features"

    def __init__(self, mode):
        self.mode = mode
        self.trains_encoder = mode == "claims"
        self.keeps_head = mode in {"headless", "another-head"}
        self.uses_seed = mode != "seed"
        self.analysis = mode in {"predicts", "needs-labels"}

    def refuses(self, info):
        return "no" if self.mode == "refuses" else ""

    def images_seen(self, train):
        return "many" if self.mode == "counts" else 0

    def evaluate(self, trial):
        if self.mode == "needs-labels":
            return Evaluation(metrics={"labelled": 1 / len(trial.train)})
        if self.mode == "encoder":
            trial.encoder()
        if self.mode == "writes":
            trial.splits["train"].images[:] = 0
        count, classes = len(trial.splits["test"]), len(trial.info.classes)
        scores = np.full((count, classes), 1 / classes, dtype=np.float32)
        if self.mode == "forgetful":
            scores = _lean(scores, _halves(trial.checkpoints))
        if self.mode in _SPOIL:
            scores = _SPOIL[self.mode](scores, trial.splits)
        if self.mode == "reports":
            trial.report(0, 1, {"loss": float("nan")})
        metrics = {"count": np.float32(count)} if self.mode == "json" else {"count": count}
        if self.mode == "overwrites":
            metrics = {"accuracy": 1.0}
        weights = {}
        if self.mode == "another-head":
            dim = trial.features["test"].shape[1]
            weights["head"] = {"weight": torch.ones(classes, dim).cumsum(0), "bias": torch.zeros(classes)}
        return Evaluation(scores=scores, metrics=metrics, weights=weights)


class _Mixing(_Evaluator):
    def evaluate_together(self, trials):
        found = [self.evaluate(trial) for trial in trials]
        for evaluation in found:
            evaluation.scores = _lean(evaluation.scores, 0.1 * len(trials))
        return found


def _evaluator(mode):
    def factory():
        """Broken."""
        if mode == "global":
            random.random()
            np.random.rand()  # noqa: NPY002
        return (_Mixing if mode == "mixing" else _Evaluator)(mode)

    return factory


@hookimpl
def medssl_encoders(register):
    for mode in ("narrow", "batch", "frozen", "secret", "unused", "moody", "warming", "looking"):
        register(mode, _encoder(mode))


def _one_view(parameters, size):
    return Passes(trained=((size, 1),))


@hookimpl
def medssl_methods(register):
    for mode in (
        "nan",
        "detached",
        "vector",
        "state",
        "random",
        "metric",
        "hides",
        "monitor",
        "discards",
        "views",
        "hidden",
        "counting",
        "global",
        "idle",
        *RECORDED,
    ):
        register(mode, _method(mode), work=_one_view)


@hookimpl
def medssl_evaluators(register):
    for mode in (
        "logits",
        "shape",
        "nan",
        "tensor",
        "json",
        "overwrites",
        "reports",
        "counts",
        "claims",
        "encoder",
        "refuses",
    ):
        register(mode, _evaluator(mode))
    for mode in (
        "peeks",
        "validates",
        "tests",
        "random",
        "seed",
        "writes",
        "global",
        "predicts",
        "needs-labels",
        "forgetful",
        "mixing",
        "headless",
        "another-head",
    ):
        register(mode, _evaluator(mode))
