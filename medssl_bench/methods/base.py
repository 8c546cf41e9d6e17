"""What a self-supervised method is, and what the training loop hands to it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

from torch import Tensor, nn


@dataclass(frozen=True)
class View:
    """A view that a method wants of every image.

    Attributes:
        size: side in pixels; None: the recipe's.
        intensity: False leaves out the ops that change intensities, so that only the geometry is random.
        stream: views with the same number share their random draws, such as a clean and a distorted view with one
            crop; None: a stream of its own.
        crop: least and largest part of the image's area that is kept, in (0, 1]: every crop of the augmentation keeps
            that, and one without a crop gets one. None: the augmentation's own. It takes a sequence of ops.
        parameters: parameters of the recipe's augmentation to set otherwise, such as ``{"crop_scale": [0.05, 0.3]}``.
        of: ``image``, or ``partner``: another image of the same group (of one patient, say), drawn anew in every epoch.
            An image that is alone in its group is its own partner. Data sets without groups are then refused.
        augmentation: makes another augmentation than the recipe's, ``(size=) -> nn.Module``: a parameter of the method
            declared as ``OneComponent("augmentation")``, so that it is in the key of the stage; None: the recipe's.
    """

    size: int | None = None
    intensity: bool = True
    stream: int | None = None
    crop: tuple[float, float] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    of: Literal["image", "partner"] = "image"
    augmentation: Callable[..., nn.Module] | None = None


@dataclass(frozen=True)
class Batch:
    """A batch of images, on the device.

    Attributes:
        views: one tensor for each `View` that the method asks for, (B, 3, size, size) float in [0, 1].
        image: the images themselves, (B, 3, H, W) float in [0, 1].
        index: (B,) int64, their places among the images of the pretraining; of validation images, among those.
        group: (B,) int64, which images belong together (one patient, say), or None if the data set has no groups.
            The numbers of validation images are their own: they may be those of other groups in training.
    """

    views: tuple[Tensor, ...]
    image: Tensor
    index: Tensor
    group: Tensor | None = None


@dataclass(frozen=True)
class Progress:
    """How far a pretraining has come.

    Attributes:
        step: optimiser steps done before this batch.
        total: optimiser steps of the whole pretraining.
        epoch: 0-based.
    """

    step: int
    total: int
    epoch: int

    @property
    def fraction(self) -> float:
        """The part that is done, in [0, 1)."""
        return self.step / self.total


class Images(Protocol):
    """The unlabelled images of a pretraining, for methods that look at all of them."""

    def __len__(self) -> int:
        """Return the number of images N."""

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield every image once, in order, without views."""


@dataclass(frozen=True)
class MethodContext:
    """What a method may need to know when it is made.

    Attributes:
        size: side of the recipe's views in pixels.
        images: number of unlabelled training images N.
        batch_size: images of a training batch B; the last one of an epoch may have fewer.
        steps: optimiser steps of the whole pretraining.
        groups: number of groups of these images; None: the data set has no groups.
        teacher: the trained arm that the recipe names, images in [0, 1] to logits, frozen; or None.
    """

    size: int
    images: int
    teacher: nn.Module | None = None
    batch_size: int = 256
    steps: int = 1000
    groups: int | None = None


class Method(nn.Module):
    """A self-supervised method around an encoder.

    Attributes:
        monitor: name of the validation metric, higher being better, that says which epoch is the best; None when
            the method has none (``keep = "best"`` is then refused).
        recordable: promises that a training step can be recorded once and played back, as a CUDA graph is: `forward`
            depends on the batch, parameters and buffers alone (not on `progress`, not on what Python keeps from step to
            step), changes buffers in place, and reads no value back. It is recorded if the encoder promises the same.
            ``check-plugin`` tries it. `after_step` is still called after each step.
        discarded: names of modules and buffers that the training alone needs, such as a momentum encoder or a queue.
            Checkpoints have them; what a finished pretraining stores does not.

    Args:
        encoder: images (B, 3, H, W) in [0, 1] to features (B, ``encoder.dim``).
    """

    monitor: ClassVar[str | None] = None
    recordable: bool = False
    discarded: tuple[str, ...] = ()

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    @abstractmethod
    def views(self) -> Sequence[View]:
        """Return the views that the method wants of every image; the answer must not change."""

    @abstractmethod
    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch, a scalar, and metrics, scalars without gradient.

        It is called in evaluation mode and without gradients on validation batches; it must then leave the
        method's state (queues, centres, banks) as it is.
        """

    def on_epoch_start(self, images: Images, progress: Progress) -> None:
        """Act before an epoch, with all images at hand (cluster assignments, say). Does nothing by default."""

    def after_step(self, progress: Progress) -> None:
        """Act after an optimiser step (a momentum update, say), with gradients enabled. Does nothing by default."""

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Return the optimiser's parameter groups; by default one, of every parameter that wants a gradient.

        The learning rate of a group is multiplied by its ``lr_scale``, and stays as the optimiser begins where its
        ``constant_lr`` is True.

        Where no parameter wants one, nothing is trained by the loss: `on_epoch_start` and `forward` do the work.
        """
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        return [{"params": trained, "weight_decay": weight_decay}]
