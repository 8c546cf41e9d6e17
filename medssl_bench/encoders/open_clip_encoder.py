"""The image part of a model of open_clip as an encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from medssl_bench.encoders.model_files import read_json, read_weights
from medssl_bench.encoders.normalisation import require_both
from medssl_bench.encoders.prepared import Prepared
from medssl_bench.errors import StageError

if TYPE_CHECKING:
    from pathlib import Path

    from medssl_bench.encoders.input_fit import Interpolation
    from medssl_bench.encoders.settings import Settings

_PREFIXES = ("module.visual.", "visual.")


class OpenClipEncoder(nn.Module):
    """What open_clip's ``encode_image`` gives before it is scaled to length 1: features behind the projection.

    The text part is not made.

    Attributes:
        dim: length D of the features.
        input_size: side at which the model sees images.
        backbone: the image part.

    Args:
        config: ``open_clip_config.json`` of the model.
        weights: file of the weights; None: random ones.
        size: side of the images in pixels.
        settings: how images get to the size that the model was made for, and their normalisation; without them, as
            the configuration says.

    Raises:
        StageError: it cannot be made, or its weights are not all there.
    """

    def __init__(self, config: Path, weights: Path | None, size: int, settings: Settings) -> None:
        super().__init__()
        said = read_json(config)
        try:
            self.backbone = _tower(said["model_cfg"])
        except Exception as error:
            reason = f"it has no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())[:300]
            raise StageError(f"{config}: open_clip cannot make this model: {reason}") from error
        if weights is not None:
            _load(self.backbone, weights)
        self.prepared = _prepared(said.get("preprocess_cfg") or {}, self.backbone.image_size, settings)
        self.input_size = self.prepared.fit.size
        with torch.no_grad():
            self.eval()
            self.dim = int(self(torch.zeros(1, 3, size, size)).shape[1])
            self.train()

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images, (B, 3, H, W) in [0, 1] to (B, D)."""
        features: Tensor = self.backbone(self.prepared(images))
        return features


def _tower(model: dict[str, Any]) -> Any:
    from open_clip.model import _build_vision_tower

    vision = {**model["vision_cfg"], "timm_model_pretrained": False}
    return _build_vision_tower(model["embed_dim"], vision, bool(model.get("quick_gelu", False)))


def _load(tower: nn.Module, file: Path) -> None:
    weights = read_weights(file)
    own = {
        name.removeprefix(prefix): value
        for prefix in _PREFIXES
        for name, value in weights.items()
        if name.startswith(prefix)
    }
    try:
        tower.load_state_dict(own)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()[:200]
        raise StageError(f"{file}: these are not the weights of the model: {reason}") from error


def _prepared(said: Any, image_size: Any, settings: Settings) -> Prepared:
    from open_clip import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

    if not isinstance(said, dict):
        raise StageError(f"preprocess_cfg of its configuration is {said!r}, and no table")
    given_mean, given_std = require_both(settings.mean, settings.std)
    # where a configuration says nothing, open_clip itself takes OpenAI's numbers and bicubic interpolation
    mean = given_mean or said.get("mean") or OPENAI_DATASET_MEAN
    std = given_std or said.get("std") or OPENAI_DATASET_STD
    side = image_size[0] if isinstance(image_size, list | tuple) else image_size
    own: Interpolation = "bilinear" if said.get("interpolation") == "bilinear" else "bicubic"
    return Prepared(settings.fit_to(int(side), own), mean, std)
