"""The options of a fine-tuning. Importing this module imports no torch: plans are made without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from medssl_bench.evaluators.ranges import ClassBalance, Count, Decay, Rate
from medssl_bench.plugin.parameters import AddedLater, OneComponent


@dataclass(frozen=True, kw_only=True)
class FineTuneSettings:
    """How to fine-tune: the parameters of `finetune`.

    Args:
        epochs: passes over the labelled images; not stated in the thesis, 500 in its code.
        lr: learning rate of Adam.
        weight_decay: L2 penalty.
        batch_size: images of a batch; a smaller set is one batch.
        validate_every: epochs between two looks at the validation images.
        augmentation: augmentation of the training images; none as in the thesis.
        precision: arithmetic of the encoder's forward pass; weights, classifier and loss stay float32.
        balance: `undersample`, as many images of each class as the smallest has, the others are left out;
            `oversample`, every class comes equally often in an epoch of as many images; `class_weights`, the loss of
            an image counts n / (k n_c), for n images, n_c of them of its class, and k classes.
        optimizer: another optimiser, whose own parameters then hold instead of `lr` and `weight_decay`; none: Adam.
        schedule: learning rate over the epochs; none: one learning rate.
    """

    epochs: Count = 500
    lr: Rate = 1e-3
    weight_decay: Decay = 0.0
    batch_size: Annotated[int, Field(ge=2)] = 128
    validate_every: Count = 10
    augmentation: Annotated[Any, OneComponent("augmentation")] = None
    precision: Literal["float32", "bfloat16"] = "float32"
    balance: ClassBalance = "none"
    optimizer: Annotated[Any, OneComponent("optimizer"), AddedLater(None)] = None
    schedule: Annotated[Any, OneComponent("schedule"), AddedLater(None)] = None
