"""An encoder out of a checkpoint that another program wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import Tensor

Stem = Literal["imagenet", "small"]


@dataclass(frozen=True)
class ImportedEncoder:
    """A ResNet or a ViT out of a checkpoint.

    Attributes:
        model: timm's name of it.
        weights: its state dict under timm's names, without a classifier.
        prefix: what stood before the names of its tensors.
        left: names of tensors that are no part of it, such as a projection head.
        hyper_parameters: what the checkpoint says of its training.
        stem: of a ResNet: ``imagenet``, 7x7 of stride 2 and pooling, or ``small``, 3x3 of stride 1 and none.
        input_size: of a ViT: side in pixels of the images that its position embeddings are for; of a ResNet 0, any.
        options: what else timm takes to make it.
        settings: what else suites write of an encoder that `export` wrote: how images become `input_size`, `pooling`.
        notes: what had to be assumed or changed, a sentence each.
    """

    model: str
    weights: dict[str, Tensor]
    prefix: str = ""
    left: list[str] = field(default_factory=list)
    hyper_parameters: dict[str, Any] = field(default_factory=dict)
    stem: Stem = "imagenet"
    input_size: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
