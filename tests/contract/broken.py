"""A plugin in which everything is broken, each thing in its own way."""

import random
from pathlib import Path

import numpy as np
import torch
from torch import nn

from medssl_bench import hookimpl
from medssl_bench.augmentations import Op
from medssl_bench.datasets import Dataset, DatasetInfo, Split, Task
from medssl_bench.evaluators import Evaluation, Evaluator
from medssl_bench.methods import Method, View


class _View(nn.Module):
    def __init__(self, change):
        super().__init__()
        self.change = change

    def forward(self, images):
        return self.change(images)


def _augmentation(change):
    def factory(size: int):
        """Broken."""
        return _View(change)

    return factory


_count = iter(range(10**9))


def undocumented(size: int, *, blur: float = 1.0):
    return _View(lambda images: images[..., :size, :size])


class Loud(Op):
    def transform(self, images, uniforms):
        return images * 2


def loud(size: int):
    """Leaves [0, 1]."""
    return Loud()


class _Encoder(nn.Module):
    dim = 8

    def __init__(self, mode):
        super().__init__()
        self.layer = nn.Linear(3, 8)
        self.unused = nn.Linear(2, 2)
        self.mode = mode
        self.secret = torch.rand(8)

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
        return features


def _encoder(mode):
    def factory(size: int):
        """Broken."""
        return _Encoder(mode)

    return factory


class _Method(Method):
    def __init__(self, encoder, mode):
        super().__init__(encoder)
        self.mode = mode
        self.monitor = "nothing" if mode == "monitor" else None
        self.register_buffer("seen", torch.zeros(()))

    def views(self):
        return [View()] * (next(_count) if self.mode == "views" else 1)

    def forward(self, batch, progress):
        loss = self.encoder(batch.views[0] if batch.views else batch.image).square().mean()
        self.seen += self.mode == "state"
        if self.mode == "nan":
            loss = loss * float("nan")
        if self.mode == "detached":
            loss = loss.detach().requires_grad_()
        if self.mode == "vector":
            loss = loss.expand(2)
        if self.mode == "random":
            loss = loss * (1 + 0.1 * next(_count))
        return loss, {"norm": loss if self.mode == "metric" else loss.detach()}


def _method(mode):
    def factory(encoder, context):
        """Broken."""
        return _Method(encoder, mode)

    return factory


class _Evaluator(Evaluator):
    needs = "features"

    def __init__(self, mode):
        self.mode = mode
        self.trains_encoder = mode == "claims"

    def evaluate(self, trial):
        count, classes = len(trial.splits["test"]), len(trial.info.classes)
        scores = np.full((count, classes), 1 / classes, dtype=np.float32)
        if self.mode == "logits":
            scores = scores + 3
        if self.mode == "shape":
            scores = scores[:-1]
        if self.mode == "peeks":
            scores[:, 0] += 0.1 * trial.splits["train"].labels.mean()
            scores /= scores.sum(1, keepdims=True)
        if self.mode == "tests":
            scores = np.eye(classes, dtype=np.float32)[trial.splits["test"].labels[:, 0]]
        if self.mode == "random":
            scores[:, 0] += 0.001 * next(_count)
            scores /= scores.sum(1, keepdims=True)
        if self.mode == "encoder":
            trial.encoder()
        if self.mode == "writes":
            trial.splits["train"].images[:] = 0
        if self.mode == "global":
            random.random()
            np.random.rand()  # noqa: NPY002
        return Evaluation(scores=scores)


def _evaluator(mode):
    def factory():
        """Broken."""
        return _Evaluator(mode)

    return factory


class _Dataset(Dataset):
    def __init__(self, mode):
        self.mode = mode

    def info(self):
        counts = {"train": 6, "val": 2, "test": 4 if self.mode != "counts" else 5}
        return DatasetInfo("broken", Task.BINARY, ("a", "b"), 1, 8, counts)

    def fingerprint(self):
        return str(next(_count)) if self.mode == "fingerprint" else "fixed"

    def load(self):
        shade = next(_count) if self.mode == "content" else 0
        label = 2 if self.mode == "labels" else 1
        kind = np.float32 if self.mode == "dtype" else np.uint8
        return {
            name: Split(np.full((count, 8, 8), shade % 200).astype(kind), np.full((count, 1), label))
            for name, count in (("train", 6), ("val", 2), ("test", 4))
        }


def _dataset(mode):
    def factory(context):
        """Broken."""
        return _Dataset(mode)

    return factory


def needs_a_path(context, *, path: Path):
    """Fine, but for the parameter it needs.

    Args:
        path: a file.
    """
    return _Dataset("fine")


@hookimpl
def medssl_augmentations(register):
    register("wrong-size", _augmentation(lambda images: images[..., :9, :9]))
    register("out-of-range", _augmentation(lambda images: images * 2))
    register("writes", _augmentation(lambda images: images.mul_(0.5)))
    register("not-repeatable", _augmentation(lambda images: (images + next(_count) * 1e-3).clamp(0, 1)))
    register("half", _augmentation(lambda images: images.half()))
    register("undocumented", undocumented)
    register("missing", "no_such_module:factory")


@hookimpl
def medssl_ops(register):
    register("loud", loud)


@hookimpl
def medssl_encoders(register):
    for mode in ("narrow", "batch", "frozen", "secret", "unused"):
        register(mode, _encoder(mode))


@hookimpl
def medssl_methods(register):
    for mode in ("nan", "detached", "vector", "state", "random", "metric", "monitor", "views"):
        register(mode, _method(mode))


@hookimpl
def medssl_evaluators(register):
    for mode in ("logits", "shape", "peeks", "tests", "random", "encoder", "writes", "global", "claims"):
        register(mode, _evaluator(mode))


@hookimpl
def medssl_datasets(register):
    for mode in ("counts", "fingerprint", "content", "labels", "dtype"):
        register(mode, _dataset(mode))
    register("needs-a-path", needs_a_path)
