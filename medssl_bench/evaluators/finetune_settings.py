"""The options of a fine-tuning. Importing this module imports no torch: plans are made without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from medssl_bench.evaluators.ranges import ClassBalance, Count, Decay, Rate
from medssl_bench.plugin.parameters import AddedLater, OneComponent

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class FineTuneSettings:
    """How to fine-tune: the parameters of every fine-tuning, whatever its loss.

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
        schedule: learning rate over the epochs, with a `warmup` of so many; none: one learning rate.
        encoder_lr: learning rate of the encoder; `lr`, or that of `optimizer`, is then the head's. 0: its weights
            stay, and statistics of batch normalisation go on moving. None: one for both.
        layer_decay: what the learning rate of a layer is multiplied by for each layer between it and the head (BEiT,
            Bao et al. 2022): a layer is a block of a ViT, or a stage of another model of timm. 1: all have one rate.
        decays: what weight decay acts on: `all`, or `weights` alone, without biases, normalisations, and what a model
            of timm names beside these, such as position embeddings.
        freeze_batch_norm: batch normalisation of the encoder normalises by the statistics that it starts with, which
            stay; its scale and shift are trained.
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
    encoder_lr: Annotated[Decay | None, AddedLater(None)] = None
    layer_decay: Annotated[float, Field(gt=0, le=1), AddedLater(1.0)] = 1.0
    decays: Annotated[Literal["all", "weights"], AddedLater("all")] = "all"
    freeze_batch_norm: Annotated[bool, AddedLater(False)] = False

    @property
    def has_one_group(self) -> bool:
        """Whether the optimiser treats all parameters alike."""
        return self.encoder_lr is None and self.layer_decay == 1 and self.decays == "all"

    @property
    def tries_encoder(self) -> bool:
        """Whether it tells layers of the encoder apart."""
        return self.layer_decay != 1

    def try_encoder(self, encoder: nn.Module) -> None:
        """Look for the layers of an encoder, if each is to have a rate of its own.

        Raises:
            StageError: they are not known.
        """
        from medssl_bench.evaluators.layer_depths import layer_depths

        if self.layer_decay != 1:
            layer_depths(encoder)


@dataclass(frozen=True, kw_only=True)
class FineTuneOptions(FineTuneSettings):
    """The parameters of `finetune` beside those of every fine-tuning.

    Args:
        patience: stop when so many epochs have brought no better one, by the labelled validation images, which are
            looked at as `validate_every` says; none: train all epochs.
        probe: a probe whose solution the linear layer starts from, as in LP-FT (Kumar et al. 2022), such as `logistic`;
            it has the same labels; none: random weights. Where the encoder has batch normalisation, freeze that too:
            batches have other statistics than the probe has seen, so the layer would not fit its features.
        label_smoothing: part of each label that is shared out evenly to all classes (Szegedy et al. 2016).
        lora: rank of adapters that are trained instead of the encoder's weights (LoRA, Hu et al. 2022), and added to
            them at the end; statistics of batch normalisation stay. Needs the package `peft`. None: none.
        lora_alpha: adapters are multiplied by this, over the rank; none: they are not.
        lora_targets: endings of the names of the layers that have adapters; none: all linear layers, or where there
            are none, all convolutions.
    """

    patience: Annotated[Count | None, AddedLater(None)] = None
    probe: Annotated[Any, OneComponent("evaluator"), AddedLater(None)] = None
    label_smoothing: Annotated[float, Field(ge=0, lt=1), AddedLater(0.0)] = 0.0
    lora: Annotated[Count | None, AddedLater(None)] = None
    lora_alpha: Annotated[Rate | None, AddedLater(None)] = None
    lora_targets: Annotated[tuple[str, ...], AddedLater(())] = ()

    def __post_init__(self) -> None:
        """Check that options belong together.

        Raises:
            ValueError: the probe judges no features; or adapters are asked for and have no rank, or learn nothing.
        """
        if self.probe is not None and not _trains_head(self.probe()):
            raise ValueError("probe must be an evaluator that trains a linear layer on features, such as logistic")
        if self.lora is None and (self.lora_alpha is not None or self.lora_targets):
            raise ValueError("lora_alpha and lora_targets need lora, the rank of the adapters")
        if self.lora is not None and self.encoder_lr == 0:
            raise ValueError("encoder_lr = 0 trains no adapters: leave out lora, or give them a rate")

    @property
    def tries_encoder(self) -> bool:
        """Whether layers have rates, or adapters, of their own."""
        return self.lora is not None or super().tries_encoder

    def try_encoder(self, encoder: nn.Module) -> None:
        """Look for the layers of an encoder, and add adapters, if there are to be some.

        Raises:
            StageError: layers are not known, or can have no adapters.
        """
        from medssl_bench.evaluators.adapters import add_adapters

        super().try_encoder(encoder)
        if self.lora is not None:
            add_adapters(encoder, self.lora, self.lora_alpha, self.lora_targets, seed=0)


def _trains_head(found: Any) -> bool:
    return found.needs == "features" and not found.analysis and found.keeps_head
