"""The classifier that a finished evaluation left: it predicts other images without a training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from medssl_bench.datasets import Images, Task
from medssl_bench.errors import StageError
from medssl_bench.evaluators.classification import probabilities
from medssl_bench.plan.kinds import spec_of
from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.stages.workshop import Workshop
from medssl_bench.store.arrays import load_npz
from medssl_bench.store.tensors import load_tensors
from medssl_bench.training.features import features_of


@dataclass(frozen=True)
class KeptClassifier:
    """An encoder with a linear layer on top, as an evaluation left them.

    Attributes:
        key: of the evaluation.
        spec: what the evaluation was to do.
        task: what labels mean.
        truth: (N, L) labels of its test images.
        scores: (N, C) what it gave them.
        groups: (N,) group of each of them, or None.
    """

    workshop: Workshop
    key: str
    spec: EvaluateSpec
    task: Task
    weight: Tensor
    bias: Tensor
    truth: NDArray[np.int64]
    scores: NDArray[np.float32]
    groups: NDArray[np.int64] | None

    def predict(self, name: str, images: Callable[[], Sequence[NDArray[np.uint8]]]) -> list[NDArray[np.float32]]:
        """Return the probabilities of some images, (N, C) for each array of them.

        Features of the last images are kept in memory: all probes on one encoder share them.

        Args:
            name: says which images they are, to the bit.
            images: makes them, where their features are not there.

        Raises:
            StageError: they are not finite numbers.
        """
        features = self.workshop.lately("features", f"{self._encoder} {name}", lambda: self._features(images()))
        found = [probabilities(self.task, F.linear(each.to(self.weight), self.weight, self.bias)) for each in features]
        if not all(np.isfinite(each).all() for each in found):
            raise StageError("the classifier gives scores that are not finite numbers; its training has diverged")
        return found

    @property
    def _encoder(self) -> str:
        """A text that only the same encoder in the same arithmetic has."""
        if self.spec.trains_encoder:
            return self.key
        return self.spec.start or str(self.spec.encoder and self.spec.encoder.identity())

    def _features(self, images: Sequence[NDArray[np.uint8]]) -> list[Tensor]:
        spec, device = self.spec, self.workshop.device
        encoder = self.workshop.encoder(None, self.key) if spec.trains_encoder else None
        encoder = encoder or self.workshop.encoder(spec.encoder, spec.start)
        encoder = encoder.to(memory_format=torch.channels_last)
        short = spec.trains_encoder and spec.evaluator.parameters.get("precision") == "bfloat16"
        with torch.autocast(device.type, torch.bfloat16, enabled=short):
            return [features_of(encoder, Images(each), device) for each in images]


def kept_classifier(key: str, workshop: Workshop) -> KeptClassifier:
    """Return the classifier of an evaluation.

    Args:
        key: of the stage, which is done.
        workshop: whose store has it.

    Raises:
        StageError: its linear layer was not kept.
    """
    record = workshop.store.record(key)
    if record is None:
        raise StageError(f"stage {key[:12]} is not in the store")
    if "head.safetensors" not in record.files:
        raise StageError(
            "the linear layer of this trial was not kept, as an older version ran it; delete the result "
            f"{key[:12]} from the store and run again"
        )
    spec = spec_of(record.kind, record.spec)
    assert isinstance(spec, EvaluateSpec)
    head = load_tensors(workshop.store.checked(key, "head.safetensors"))
    kept = load_npz(workshop.store.checked(key, "predictions.npz"))
    info = workshop.dataset(spec.dataset).info
    device = workshop.device
    return KeptClassifier(
        workshop,
        key,
        spec,
        info.task,
        head["weight"].to(device),
        head["bias"].to(device),
        kept["y_true"],
        kept["y_score"],
        kept.get("group"),
    )
