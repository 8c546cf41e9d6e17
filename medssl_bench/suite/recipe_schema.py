"""The schema of recipes: how an encoder is pretrained without labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from medssl_bench.datasets.budget import Budget
from medssl_bench.suite.duration import DURATIONS, Duration
from medssl_bench.suite.finished_arms import ComponentRef, LabelBudget, StrictTable

Precision = Literal["float32", "bfloat16"]
PoolName = Literal["train", "unlabelled", "all"]


def refuse_skip(budget: Budget | None) -> Budget | None:
    """Refuse a budget with ``short = "skip"``, which leaves out cells of a table."""
    if budget is not None and budget.short == "skip":
        raise ValueError('short = "skip" leaves out cells of a table, so it is for `labels`; write "clip" or "error"')
    return budget


class Teacher(StrictTable):
    """A trained arm that a method learns from."""

    arm: str = Field(description="name of an arm of the same comparison that trains its encoder")
    labels: LabelBudget | None = Field(None, description="its label budget; none: that of the cell")

    _no_skip = field_validator("labels")(refuse_skip)


class Pretraining(StrictTable):
    """A recipe: how an encoder is pretrained without labels."""

    extends: str | None = Field(None, description="another recipe, whose keys hold where this one is silent")
    method: ComponentRef = Field("simclr", description="the method")
    encoder: ComponentRef = Field("resnet18", description="the encoder; of a chain, the first recipe's counts")
    augmentation: ComponentRef = Field(description="a name, a table, or a list of ops")
    epochs: Duration | None = Field(
        None, description="passes over the images; a number, or a table by data set with `default`"
    )
    steps: Duration | None = Field(None, description="optimiser steps, instead of epochs")
    images_seen: Duration | None = Field(None, description="images processed, instead of epochs")
    compute_images: Duration | None = Field(
        None, description="encoder work, in images that SimCLR would process with it (equal compute of methods)"
    )
    images: LabelBudget = Field(Budget("all"), description="how many images of the pool are used")
    pool: PoolName = Field(
        "all",
        description="which images are pretrained on: those of the training split, those that have no labels, or both, "
        "as far as the data set has them",
    )
    batch_size: int = Field(256, ge=2, description="images of a batch; a smaller set is one batch")
    view_size: int | None = Field(None, ge=8, description="side of the views in pixels; none: the data set's")
    optimizer: ComponentRef = Field("adamw", description="the optimiser; a table without a name is of adamw")
    schedule: ComponentRef = Field(
        "cosine",
        description="the learning rate over the duration, set for each epoch; for each step if the duration is in "
        "steps or images; a table without a name is of cosine",
    )
    precision: Precision = Field(
        "float32", description="arithmetic of the forward pass; weights, losses and similarities stay float32"
    )
    keep: Literal["last", "best"] = Field(
        "last",
        description="which epoch's encoder is kept: the last, or the best by the method's validation metric",
    )
    validate_every: int = Field(1, ge=1, description="epochs between two looks at the validation images")
    teacher: Teacher | None = Field(None, description="a trained arm that the method learns from")
    sweep: dict[str, list[Any]] = Field(
        default_factory=dict,
        description='values to try, by key, as in { "augmentation.blur" = [0.5, 1.0] }; every arm that uses the '
        "recipe becomes one arm for each combination",
    )
    choose: Literal["validation"] | None = Field(
        None,
        description="tables show one arm for all combinations of the sweep: for each result, the combination counts "
        "that is best on the labelled validation images",
    )

    @property
    def length(self) -> str:
        """How long it trains: ``10 epochs``, ``dermamnist: 200, 100 epochs``."""
        (unit,) = [name for name in DURATIONS if getattr(self, name) is not None]
        numbers: Mapping[str, int] = getattr(self, unit)
        texts = [f"{number:,}" if name == "default" else f"{name}: {number:,}" for name, number in numbers.items()]
        return f"{', '.join(texts)} {unit.replace('_', ' ')}"

    _no_skip = field_validator("images")(refuse_skip)

    @field_validator("images")
    @classmethod
    def _unlabelled(cls, budget: Budget) -> Budget:
        if budget.unit in {"per_class", "groups"} or budget.stratified:
            raise ValueError('a pretraining sees no labels; give N, a percentage or "all"')
        if budget.unit == "count" and budget.amount < 2:
            raise ValueError("a pretraining needs two images or more")
        return budget

    @model_validator(mode="after")
    def _choose_of_a_sweep(self) -> Pretraining:
        if self.choose and not self.sweep:  # sweeps have been written out, and have left this key to their arms
            raise ValueError("choose is for a recipe with a sweep, and this one has none")
        return self

    @model_validator(mode="after")
    def _one_duration(self) -> Pretraining:
        given = [name for name in DURATIONS if getattr(self, name) is not None]
        if len(given) != 1:
            choice = f"{', '.join(DURATIONS[:-1])} and {DURATIONS[-1]}"
            raise ValueError(f"give exactly one of {choice}, not {', '.join(given) or 'none'}")
        return self
