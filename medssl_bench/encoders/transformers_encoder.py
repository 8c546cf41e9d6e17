"""A model of Hugging Face's `transformers` as an encoder."""

from __future__ import annotations

import inspect
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from medssl_bench.encoders.model_files import PREPROCESSOR, read_json, read_weights
from medssl_bench.encoders.normalisation import require_both
from medssl_bench.encoders.prepared import Prepared
from medssl_bench.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from medssl_bench.encoders.input_fit import Interpolation
    from medssl_bench.encoders.settings import Settings

Pooling = Literal["pooler", "cls", "mean", "cls_mean"]

_OF_PILLOW: Mapping[object, Interpolation] = {0: "nearest", 2: "bilinear", 3: "bicubic"}
"""How Pillow numbers interpolations; it has others, which are not ours."""

_CLASS_TOKENS = ("cls_token", "class_embedding")
_OTHER_TOKENS = ("distillation_token",)


class TransformersEncoder(nn.Module):
    """The image part of a model of `transformers`, behind its own preprocessing.

    Its code is that of the library: a model that brings code of its own is refused.

    Attributes:
        dim: length D of the features.
        input_size: side at which the model sees images.
        backbone: the model.

    Args:
        config: ``config.json`` of the model.
        preprocessor: ``preprocessor_config.json`` of the model; None: there is none.
        weights: file of the weights; None: random ones.
        size: side of the images in pixels.
        settings: size at which it sees images, how they get there, their normalisation; without them, as
            `preprocessor` says.
        pooling: ``pooler``, what the library calls ``pooler_output``; ``cls``, ``mean``, ``cls_mean`` as of timm's
            models; None: ``pooler`` of models without a class token and of those with a text part, else ``cls``.

    Raises:
        StageError: it cannot be made, has no such pooling, or its weights or its normalisation are not all there.
    """

    def __init__(
        self,
        config: Path,
        preprocessor: Path | None,
        weights: Path | None,
        size: int,
        settings: Settings,
        pooling: Pooling | None,
    ) -> None:
        super().__init__()
        with _quiet():
            self.backbone, chosen, missing = _made(config, weights)
        self._is_part, self._is_tower = chosen.is_part, chosen.is_tower
        self.prepared = _prepared(preprocessor, chosen.image_size, settings)
        self.input_size = self.prepared.fit.size
        takes = inspect.signature(self.backbone.forward).parameters
        moves = "interpolate_pos_encoding" in takes and self.prepared.fit.size != chosen.image_size
        self._more: dict[str, Any] = {"interpolate_pos_encoding": True} if moves else {}
        self._patches = chosen.patches(self.prepared.fit.size) if chosen.is_masked else 0
        names = [name.rpartition(".")[2] for name, _ in self.backbone.named_parameters()]
        self._has_class = any(name in _CLASS_TOKENS for name in names)
        self._prefix = int(self._has_class) + sum(name in _OTHER_TOKENS for name in names) + chosen.registers
        self.pooling = pooling
        self.dim = self._measure_dim(size, chosen.image_size)
        lacking = [name for name in missing if self.pooling == "pooler" or not name.startswith("pooler.")]
        if lacking:
            some = ", ".join(lacking[:3]) + (", ..." if len(lacking) > 3 else "")
            raise StageError(f"{weights}: the weights lack {len(lacking)} of the model's tensors ({some})")

    @torch.no_grad()
    def _measure_dim(self, size: int, made_for: int | None) -> int:
        self.eval()
        image = torch.zeros(1, 3, size, size)
        try:
            features, again = self(image), self(image)
        except StageError:
            raise
        except Exception as error:
            side = self.prepared.fit.size
            reason = str(error).partition("\n")[0]
            instead = f"; it was made for {made_for}: write input_size" if made_for and made_for != side else ""
            raise StageError(f"the model cannot take images of {side} pixels: {reason}{instead}") from error
        if not features.is_meta and not torch.allclose(features, again, rtol=1e-3, atol=1e-4, equal_nan=True):
            raise StageError("the model gives an image other features each time, so no result could be repeated")
        self.train()
        return int(features.shape[1])

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images, (B, 3, H, W) in [0, 1] to (B, D).

        Raises:
            StageError: the model has not what the pooling takes.
        """
        seen, more = self.prepared(images), self._more
        if self._patches:  # in their own order, none of them hidden
            more = {**more, "noise": torch.arange(self._patches, device=seen.device).expand(len(seen), -1)}
        out = self.backbone(pixel_values=seen, **more)
        last, whole = torch.as_tensor(out.last_hidden_state), getattr(out, "pooler_output", None)
        return self._of_map(last, whole) if last.ndim == 4 else self._of_tokens(last, whole)

    def _of_map(self, last: Tensor, whole: Any) -> Tensor:
        """Return the features of a convolutional model: of its map, (B, D, h, w), or what the library makes of it."""
        which: Pooling = "mean" if whole is None else "pooler"
        self.pooling = self.pooling or which
        if self.pooling != which:
            raise StageError(f'the model is convolutional: write pooling = "{which}"')
        return last.mean(dim=(2, 3)) if whole is None else torch.as_tensor(whole).flatten(1)

    def _of_tokens(self, last: Tensor, whole: Any) -> Tensor:
        """Return the features of a transformer, of its tokens, (B, T, D)."""
        if self.pooling is None and self._is_tower and self._has_class and whole is not None:
            raise StageError(
                'the model is the image part of one of images and text: write pooling = "pooler", which is what the '
                'whole model has, or "cls"'
            )
        whole_is_meant = whole is not None and (self._is_part or not self._has_class)
        self.pooling = self.pooling or ("pooler" if whole_is_meant else "cls")
        if self.pooling == "pooler":
            if whole is None:
                raise StageError('the model has no pooler_output: write pooling = "mean" or "cls"')
            return torch.as_tensor(whole).flatten(1)
        if "cls" in self.pooling and not self._has_class:
            raise StageError('the model has no class token: write pooling = "mean" or "pooler"')
        parts = [last[:, 0]] if "cls" in self.pooling else []
        parts += [last[:, self._prefix :].mean(dim=1)] if "mean" in self.pooling else []
        return torch.cat(parts, dim=1)


class _Chosen:
    """What is read off a configuration: whether it has a part for text, or had one, size, and registers."""

    def __init__(self, config: Any) -> None:
        self.is_part = hasattr(config, "vision_config")
        self.config = config.vision_config if self.is_part else config
        self.is_tower = not self.is_part and str(getattr(config, "model_type", "")).endswith("_vision_model")
        side = getattr(self.config, "image_size", None)
        self.image_size = int(side[0] if isinstance(side, list | tuple) else side) if side else None
        self.registers = int(getattr(self.config, "num_register_tokens", 0) or 0)
        self.is_masked = getattr(self.config, "model_type", "") == "vit_mae"
        if self.is_masked:  # it hides patches at random, as in its training
            self.config.mask_ratio = 0.0

    def patches(self, side: int) -> int:
        """Return how many patches the model sees of an image of a side in pixels."""
        return (side // int(self.config.patch_size)) ** 2


def _made(config: Path, weights: Path | None) -> tuple[Any, _Chosen, list[str]]:
    """Return a model, what its configuration says, and which of its tensors the weights lack."""
    from transformers import AutoConfig, AutoModel

    try:
        chosen = _Chosen(AutoConfig.from_pretrained(config, trust_remote_code=False))
        if weights is None:
            return AutoModel.from_config(chosen.config, trust_remote_code=False).float(), chosen, []
        with torch.device("meta"):
            kind = type(AutoModel.from_config(chosen.config, trust_remote_code=False))
        model, info = kind.from_pretrained(
            None, config=chosen.config, state_dict=read_weights(weights), output_loading_info=True
        )
    except StageError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise StageError(f"{config}: transformers cannot make this model: {reason}") from error
    return model.float(), chosen, sorted(info["missing_keys"])


def _prepared(file: Path | None, image_size: int | None, settings: Settings) -> Prepared:
    """Return the preprocessing that a model comes with, but for what the suite says."""
    said = read_json(file) if file else {}
    mean, std = require_both(settings.mean, settings.std)
    if mean is None and said:
        plain = said.get("do_normalize") is False
        mean, std = ([0.0], [1.0]) if plain else (said.get("image_mean"), said.get("image_std"))
    as_they_are = settings.mean is None and said.get("do_rescale") is False  # not divided by 255
    if mean is None or std is None or as_they_are:
        what = f"{file.name} does not say" if file else "no preprocessor_config.json says"
        raise StageError(f"{what} how images were normalised: write mean and std")
    factor = said.get("rescale_factor")
    is_number = isinstance(factor, int | float)
    unusual = factor is not None and not (is_number and math.isclose(factor * 255, 1, rel_tol=1e-3))
    if settings.mean is None and (unusual or said.get("rescale_offset")):
        raise StageError(
            f"{PREPROCESSOR} has rescale_factor = {factor}, and not 1/255, or an offset: write mean and std of pixels "
            f"in [0, 1]"
        )
    crop, scaled = _side(said.get("crop_size")), _side(said.get("size"))
    if settings.input_size is None and said.get("do_center_crop") is False and crop and crop != (scaled or image_size):
        other = f"scales images to {scaled}, " if scaled else ""
        raise StageError(f"{PREPROCESSOR} {other}has a crop_size of {crop}, and does not crop: write input_size")
    side = settings.input_size or crop or scaled or image_size
    if side is None:
        raise StageError("the model does not say for which size of images it was made: write input_size")
    number = said.get("resample")
    own = _OF_PILLOW.get(2 if number is None else number)
    if own is None and settings.interpolation == "auto":
        raise StageError(
            f"{PREPROCESSOR} resizes with resample = {number!r}, which is none of Pillow's 0 (nearest), 2 "
            f"(bilinear) and 3 (bicubic): write interpolation"
        )
    return Prepared(settings.fit_to(side, own or "bilinear"), mean, std)


def _side(size: Any) -> int | None:
    """Return the side that a size says, in whichever form: a number, height and width, or the shorter edge."""
    if isinstance(size, dict):
        size = size.get("shortest_edge") or size.get("height")
    return size if isinstance(size, int) and size > 0 else None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library from reporting on what is left out."""
    from transformers.utils import logging

    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()
