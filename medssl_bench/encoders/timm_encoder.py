"""A timm model as an encoder: images in [0, 1] to one feature vector each."""

from __future__ import annotations

from contextlib import nullcontext
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Literal

import timm
import torch
import torch.nn.functional as F
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from medssl_bench.encoders.pretrained import from_cache, have_weights
from medssl_bench.encoders.small_maps import use_small_map_convolutions
from medssl_bench.encoders.vit_tokens import tokens_of
from medssl_bench.errors import StageError, did_you_mean
from medssl_bench.store.tensors import load_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_IMAGENET = (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD)


class TimmEncoder(nn.Module):
    """A timm model without its classifier, behind the normalisation of its input.

    A convolutional model has `feature_maps`, a ViT has `tokens`, `pooled`, `grid` and `prefix_tokens`. Of another model
    ``hasattr`` says that they are not there.

    Attributes:
        dim: length D of the features.
        backbone: the timm model; its state dict is what ``export`` writes.
        card: how plain timm makes the same model.
        left_out: names of tensors of a file of weights that are a classifier's.
        recordable: see `medssl_bench.encoders.recordable`.

    Args:
        model: timm's name of the model.
        size: side of the images in pixels. A model that can take only one size (a ViT) resizes other images to it.
        pretrained: load the weights that timm downloads.
        normalize: ``half``, ``imagenet``, or ``auto`` (what the pretrained weights were trained with, else ``half``).
        options: further keyword arguments of ``timm.create_model``.

    Raises:
        StageError: timm knows no such model, its weights cannot be had, or it cannot take images of this size.
    """

    mean: Tensor
    std: Tensor
    recordable = True

    def __init__(
        self,
        model: str,
        size: int,
        *,
        pretrained: bool = False,
        normalize: Literal["auto", "half", "imagenet"] = "auto",
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        options = dict(options or {})
        if not timm.is_model(model):
            raise StageError(f"timm has no model {model!r}{did_you_mean(model, timm.list_models())}")
        if pretrained:
            have_weights(model)
        try:
            with from_cache() if pretrained else nullcontext():
                self.backbone = timm.create_model(model, pretrained=pretrained, num_classes=0, **options)
        except Exception as error:
            what = "its pretrained weights cannot be had" if pretrained else "it cannot be made"
            raise StageError(f"timm model {model!r}: {what} with {options}: {error}".partition("\n")[0]) from error
        use_small_map_convolutions(self.backbone)
        self.left_out: list[str] = []
        self.size = size
        self._one_size = getattr(getattr(self.backbone, "patch_embed", None), "strict_img_size", False)
        mean, std = _IMAGENET if normalize == "imagenet" else _HALF
        if normalize == "auto" and pretrained:
            mean, std = self.backbone.pretrained_cfg["mean"], self.backbone.pretrained_cfg["std"]
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)
        self.card: dict[str, Any] = {
            "model": model,
            "options": options,
            "mean": list(mean),
            "std": list(std),
            "changes": [],
        }
        self.dim = self._measure_dim()

    @torch.no_grad()
    def _measure_dim(self) -> int:
        """Return the length of an image's features: what timm calls ``num_features`` is another one in some models."""
        self.eval()
        what = f"timm model {self.card['model']!r}"
        try:
            features = self(torch.zeros(1, 3, self.size, self.size))
        except Exception as error:
            reason = f"{what} cannot take images of {self.size} pixels: {error}".partition("\n")[0].rstrip(".")
            raise StageError(f"{reason}{self._instead()}") from error
        if patch := _dropped(self.backbone, self.size):
            raise StageError(
                f"{what}: patches of {patch} do not divide images of {self.size} pixels: pixels would be dropped"
            )
        if features.ndim != 2:
            raise StageError(f"{what} gives features of shape {tuple(features.shape)}; (B, D) is needed")
        self.train()
        return int(features.shape[1])

    def _instead(self) -> str:
        """Return what to write for a model that cannot take images of this size, or an empty string."""
        options = {**self.card["options"], "img_size": self.size}
        try:
            with torch.device("meta"):
                model = timm.create_model(self.card["model"], num_classes=0, **options).eval()
                model(torch.zeros(1, 3, self.size, self.size))
            can = not _dropped(model, self.size)
        except Exception:  # noqa: BLE001 - it has no such option, or not this size
            can = False
        if can:
            return f"; it can with options = {{ img_size = {self.size} }}"
        side = (self.backbone.pretrained_cfg.get("input_size") or (0,))[-1]
        return f"; it was made for images of {side} pixels" if side else ""

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images, (B, 3, H, W) in [0, 1] to (B, D)."""
        features: Tensor = self.backbone(self._prepared(images))
        return features

    def _prepared(self, images: Tensor) -> Tensor:
        """Return images as the model takes them: normalised, and of its one size if it has one."""
        size = images.shape[-1]
        if size != self.size and not self._one_size and (patch := self._undivided(size)):
            what = f"timm model {self.card['model']!r}: patches of {patch} do not divide images of {size} pixels"
            raise StageError(f"{what}; give views of another size")
        if self._one_size and size != self.size:
            images = F.interpolate(images, (self.size, self.size), mode="bilinear", antialias=True)
        return (images - self.mean) / self.std

    def feature_map(self, images: Tensor) -> Tensor:
        """Return what the model sees before pooling: (B, D, h, w) of a convolutional one, (B, T, D) tokens of a ViT."""
        features: Tensor = self.backbone.forward_features(self._prepared(images))
        return features

    def _undivided(self, size: int) -> int:
        """Return the side of a ViT's patches if they do not divide images of a size, else 0."""
        return _dropped(self.backbone, size) if isinstance(self.backbone, VisionTransformer) else 0

    @property
    def feature_maps(self) -> Callable[[Tensor], list[Tensor]]:
        """Of a convolutional model: images (B, 3, H, W) to maps (B, C, h, w), from the stem's to the last stage's."""
        if isinstance(self.backbone, VisionTransformer) or not hasattr(self.backbone, "forward_intermediates"):
            raise AttributeError("feature_maps")
        return self._feature_maps

    def _feature_maps(self, images: Tensor) -> list[Tensor]:
        maps: list[Tensor] = self.backbone.forward_intermediates(self._prepared(images), intermediates_only=True)
        return maps

    @property
    def tokens(self) -> Callable[..., Tensor]:
        """Of a ViT: ``(images, keep=None, masked=None, mask_token=None)`` to tokens (B, prefix + K, D).

        See `medssl_bench.encoders.vit_tokens.tokens_of`.
        """
        self._vit("tokens")
        return self._tokens

    def _tokens(
        self,
        images: Tensor,
        keep: Tensor | None = None,
        masked: Tensor | None = None,
        mask_token: Tensor | None = None,
    ) -> Tensor:
        return tokens_of(self._vit("tokens"), self._prepared(images), keep, masked, mask_token)

    @property
    def pooled(self) -> Callable[[Tensor], Tensor]:
        """Of a ViT: tokens (B, T, D) to features (B, dim), as the encoder pools them."""
        self._vit("pooled")
        return self._pooled

    def _pooled(self, tokens: Tensor) -> Tensor:
        features: Tensor = self._vit("pooled").forward_head(tokens)
        return features

    @property
    def grid(self) -> tuple[int, int]:
        """Of a ViT: rows and columns of the patches of an image of the encoder's size."""
        rows, columns = self._vit("grid").patch_embed.grid_size
        return int(rows), int(columns)

    @property
    def prefix_tokens(self) -> int:
        """Of a ViT: tokens before those of the patches: the class token, and registers."""
        return int(self._vit("prefix_tokens").num_prefix_tokens)

    def _vit(self, name: str) -> VisionTransformer:
        """Return the model.

        Raises:
            AttributeError: it is no ViT, so the encoder has no attribute of this name.
        """
        if not isinstance(self.backbone, VisionTransformer):
            raise AttributeError(name)
        return self.backbone

    def load_file(self, file: Path | None) -> None:
        """Take the weights of a safetensors file with the backbone's names; None does nothing.

        Files of a hub have a classifier too: it is left out (`left_out`).

        Raises:
            StageError: the file holds the weights of another model.
        """
        if file is None:
            return
        weights, own = load_tensors(file), self.backbone.state_dict()
        classifiers = self.backbone.pretrained_cfg.get("classifier") or ()
        heads = tuple(f"{name}." for name in ([classifiers] if isinstance(classifiers, str) else classifiers))
        self.left_out = sorted(name for name in weights if name not in own and name.startswith(heads))
        try:
            self.backbone.load_state_dict({n: value for n, value in weights.items() if n not in self.left_out})
        except RuntimeError as error:
            difference = shorten(str(error).splitlines()[-1], 160, placeholder=" ...")
            raise StageError(f"{file}: these are not the weights of {self.card['model']}: {difference}") from error


def _dropped(model: nn.Module, size: int) -> int:
    """Return the side of a model's patches if they do not divide its images, else 0."""
    embedding = getattr(model, "patch_embed", None)
    patch = getattr(embedding, "patch_size", None)
    side = patch[0] if isinstance(patch, tuple) and patch else patch
    pads = getattr(embedding, "dynamic_img_pad", False)
    return side if isinstance(side, int) and side > 0 and size % side and not pads else 0


def use_small_stem(encoder: TimmEncoder) -> None:
    """Give a ResNet the stem for small images: a 3x3 convolution of stride 1, no pooling (as usual for CIFAR)."""
    backbone = encoder.backbone
    first = backbone.conv1
    backbone.conv1 = nn.Conv2d(first.in_channels, first.out_channels, kernel_size=3, padding=1, bias=False)
    nn.init.kaiming_normal_(backbone.conv1.weight, mode="fan_out", nonlinearity="relu")
    backbone.maxpool = nn.Identity()
    encoder.card["changes"] = [
        f"conv1 = torch.nn.Conv2d({first.in_channels}, {first.out_channels}, kernel_size=3, padding=1, bias=False)",
        "maxpool = torch.nn.Identity()",
    ]
