"""The embed stage: the features of every image of a data set, once per encoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from medssl_bench.datasets import Splits
from medssl_bench.datasets.base import SPLITS, SplitName
from medssl_bench.errors import StageError
from medssl_bench.plan.kinds.embed import EmbedSpec
from medssl_bench.plan.stage import Stage
from medssl_bench.stages.attempt import Attempt
from medssl_bench.stages.workshop import StageResult, Workshop
from medssl_bench.store.tensors import save_tensors
from medssl_bench.training.features import features_of


def embed(stage: Stage[EmbedSpec], workshop: Workshop, attempt: Attempt) -> StageResult:
    """Compute features.

    Args:
        stage: what to do.
        workshop: what to work with.
        attempt: in whose folder to leave ``features.safetensors``: (N, D) float32 for each split.
    """
    data = workshop.dataset(stage.spec.dataset)
    encoder = workshop.encoder(stage.spec.encoder, stage.spec.start)
    flags = {}
    if (brought := getattr(encoder, "brought", None)) is not None:
        names = workshop.image_names(stage.spec.dataset)
        found = {name: brought(name, split.labels, names.get(name)) for name, split in data.splits.items()}
        flags["brought_features"] = "its features were brought from a file; how they were made is not known here"
    else:
        found = features(encoder, data.splits, workshop.device)
    if not all(torch.isfinite(tensor).all() for tensor in found.values()):
        why = (
            "its training has diverged"
            if stage.spec.start
            else "check that its weights are right, and mean and std those of its training"
        )
        raise StageError(f"the encoder gives features that are not finite numbers; {why}")
    save_tensors({str(name): tensor for name, tensor in found.items()}, attempt.folder / "features.safetensors")
    return StageResult(metrics={"dim": found["train"].shape[1]}, flags=flags)


def features(encoder: nn.Module, splits: Splits, device: torch.device) -> dict[SplitName, Tensor]:
    """Return the features of un-augmented images in evaluation mode, (N, D) float32 on the CPU, by split."""
    encoder = encoder.to(memory_format=torch.channels_last)
    return {name: features_of(encoder, splits[name], device) for name in SPLITS}
