"""A plugin in which everything is unusual and nothing is broken."""

from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import nn

from medssl_bench import hookimpl
from medssl_bench.datasets import Dataset, DatasetInfo, Images, Split, Task
from medssl_bench.errors import StageError
from medssl_bench.evaluators import Evaluation, Evaluator
from medssl_bench.methods import Method, Passes, View


class _Resize(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = size

    def forward(self, images):
        return nn.functional.interpolate(images, (self.size, self.size))


def same(size: int):
    """Draws nothing."""
    return _Resize(size)


class Cold(Method):
    """Has dropout, a buffer that training moves, and draws from the forked generators."""

    monitor = "spread"

    def __init__(self, encoder):
        super().__init__(encoder)
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(encoder.dim, 4))
        self.register_buffer("centre", torch.zeros(4))

    def views(self):
        return [View(), View(size=20, intensity=False)]

    def forward(self, batch, progress):
        first, second = (self.head(self.encoder(view)).float() for view in batch.views)
        noise = torch.rand_like(first)
        if self.training:
            self.centre.lerp_(first.detach().mean(0), 0.1)
        loss = (first - second + noise - self.centre).square().mean()
        return loss, {"spread": first.detach().std()}


class Tokens(Method):
    """Needs an encoder with tokens, compares images of one group, and throws its head away."""

    discarded = ("head",)

    def __init__(self, encoder):
        if not hasattr(encoder.backbone, "patch_embed"):
            raise StageError("tokens needs a ViT")
        super().__init__(encoder)
        self.head = nn.Linear(encoder.dim, 4)

    def views(self):
        return View(), View(of="partner", crop=(0.2, 0.5))

    def forward(self, batch, progress):
        first, second = (self.head(self.encoder(view)).float() for view in batch.views)
        return (first - second).square().mean() + (first.std(0) - 1).square().mean(), {}


def tokens(encoder, context):
    """Refuses a ResNet."""
    assert (context.images, context.batch_size, context.steps, context.groups) == (36, 12, 6, 12)
    return Tokens(encoder)


class Still(Method):
    """Trains nothing: passes over the images move the statistics of batch normalisation."""

    def __init__(self, encoder):
        super().__init__(encoder.requires_grad_(False))

    def views(self):
        return [View()]

    def on_epoch_start(self, images, progress):
        self.encoder.train()
        for batch in images.batches(12):
            self.encoder(batch.image)

    def forward(self, batch, progress):
        return self.encoder(batch.views[0]).float().square().mean(), {}


def still(encoder, context):
    """Has no gradient."""
    return Still(encoder)


class Means(nn.Module):
    """Has no parameters."""

    dim = 12

    def forward(self, images):
        return nn.functional.adaptive_avg_pool2d(images, 2).flatten(1)


def means(size: int):
    """Averages colours."""
    return Means()


def cold(encoder, context):
    """Pulls noisy views together."""
    return Cold(encoder)


class Labels(Evaluator):
    needs = "features"
    uses_seed = False

    def refuses(self, info):
        return "" if info.task == Task.MULTI_LABEL else "its images have one class"

    def evaluate(self, trial):
        rates = trial.splits["train"].labels[trial.train].mean(0, dtype=np.float32)
        return Evaluation(scores=np.tile(rates, (len(trial.splits["test"]), 1)))


def labels_alone():
    """Judges sets with several labels alone."""
    return Labels()


class Guess(Evaluator):
    def __init__(self, epochs):
        self.epochs = epochs

    def evaluate(self, trial):
        head = nn.Linear(trial.features["test"].shape[1], len(trial.info.classes))
        logits = head(trial.features["test"]).detach()
        several = trial.info.task == Task.MULTI_LABEL
        return Evaluation(scores=(logits.sigmoid() if several else logits.softmax(1)).numpy())


def guess(*, epochs: Annotated[int, Field(ge=3)] = 10):
    """Draws a head from the forked generators.

    Args:
        epochs: more than two.
    """
    return Guess(epochs)


class Floor(Evaluator):
    needs = "labels"
    uses_seed = False

    def evaluate(self, trial):
        assert len(trial.train) == len(trial.splits["train"])
        assert not len(trial.val)
        count, classes = len(trial.splits["test"]), len(trial.info.classes)
        return Evaluation(scores=np.full((count, classes), 1 / classes, dtype=np.float32))


def floor():
    """Counts on all labels."""
    return Floor()


class Range(Evaluator):
    analysis = True

    def evaluate(self, trial):
        assert not len(trial.train)
        return Evaluation(metrics={"range": float(np.ptp(trial.features["test"].numpy()))})


def feature_range():
    """Describes features."""
    return Range()


class Sparse(Dataset):
    """Has no validation images, and knows its fingerprint and its classes only when it is read."""

    loaded = False

    def info(self):
        if not self.loaded:
            return None
        counts = {"train": 4, "val": 0, "test": 2}
        return DatasetInfo("sparse", Task.MULTI_LABEL, ("a", "b"), 3, 8, counts)

    def fingerprint(self):
        return "fixed" if self.loaded else None

    def load(self):
        self.loaded = True
        return {
            name: Split(
                np.full((count, 8, 8, 3), shade, np.uint8), np.zeros((count, 2), np.int64), shade + np.arange(count)
            )
            for shade, name, count in ((0, "train", 4), (4, "val", 0), (8, "test", 2))
        }


def sparse(context):
    """Holds little."""
    return Sparse()


class Bare(Dataset):
    """Has images without labels, and nothing else."""

    is_labelled = False

    def info(self):
        return DatasetInfo("bare", Task.NONE, (), 1, 8, {"train": 0, "val": 0, "test": 0}, unlabelled=5)

    def fingerprint(self):
        return "bare"

    def load(self):
        return {}

    def load_unlabelled(self):
        return Images(np.arange(5 * 8 * 8, dtype=np.uint8).reshape(5, 8, 8))


def bare(context):
    """Holds no labels."""
    return Bare()


class Seldom(nn.Module):
    """Turns one image in a hundred over, and does so image by image."""

    def __init__(self, size):
        super().__init__()
        self.resize = _Resize(size)

    def forward(self, images):
        return self.resize(torch.stack([image.flip(-1) if torch.rand(()) < 0.01 else image for image in images]))


def seldom(size: int):
    """Draws for each image, and hardly ever acts."""
    return Seldom(size)


class Stratified(nn.Module):
    """Spreads brightness evenly over a batch: the draws of its images differ more than chance would make them."""

    def __init__(self, size):
        super().__init__()
        self.resize = _Resize(size)

    def forward(self, images):
        shares = (torch.randperm(len(images)) + torch.rand(len(images))) / len(images)
        return self.resize(images * shares[:, None, None, None].to(images.device))


def stratified(size: int):
    """Draws brightness by strata."""
    return Stratified(size)


@hookimpl
def medssl_augmentations(register):
    register("same", same)
    register("seldom", seldom)
    register("stratified", stratified)


def cold_passes(parameters, size):
    return Passes(trained=((size, 1), (20, 1)))


def still_passes(parameters, size):
    return Passes(trained=(), frozen=((size, 2),), views=((size, 1),))


@hookimpl
def medssl_methods(register):
    register("cold", cold, work=cold_passes)
    register("tokens", tokens)
    register("still", still, work=still_passes)


@hookimpl
def medssl_encoders(register):
    register("means", means)


@hookimpl
def medssl_evaluators(register):
    for factory in (labels_alone, guess, floor, feature_range):
        register(factory.__name__, factory)


@hookimpl
def medssl_datasets(register):
    register("sparse", sparse)
    register("bare", bare)


seen = []


@hookimpl
def medssl_run_begins(refresh):
    seen.append(refresh())


@hookimpl
def medssl_epoch_ends(stage, epoch):
    seen.append(f"{stage.kind} {epoch.index + 1}/{epoch.total}")


@hookimpl
def medssl_stage_waits(owner):
    seen.append(owner)


@hookimpl
def medssl_run_ends(outcomes):
    seen.append({outcome.status for outcome in outcomes})
