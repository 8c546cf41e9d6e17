"""A timm model as an encoder: images in [0, 1] to one feature vector each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import timm
import torch
import torch.nn.functional as F
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from medssl_bench.augmentations.ops.grayscale import luma
from medssl_bench.encoders.normalisation import Channels, Normalize, normalisation
from medssl_bench.encoders.patch import dropped_side, sizes_near
from medssl_bench.encoders.pooling import check_pooling, pooled
from medssl_bench.encoders.positions import repeats_a_patch
from medssl_bench.encoders.pretrained import have_config
from medssl_bench.encoders.settings import Settings
from medssl_bench.encoders.small_maps import use_small_map_convolutions
from medssl_bench.encoders.timm_model import architecture_of, config_of, made, options_of, written
from medssl_bench.encoders.vit_tokens import tokens_of
from medssl_bench.encoders.weights_of_file import load_weights
from medssl_bench.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_AS_IS = Settings()


class TimmEncoder(nn.Module):
    """A timm model without its classifier, behind the normalisation of its input.

    A convolutional model has `feature_maps`, a ViT has `tokens`, `pooled`, `grid` and `prefix_tokens`. Of another model
    ``hasattr`` says that they are not there.

    Attributes:
        dim: length D of the features.
        input_size: side at which the model sees images; None: as they are.
        backbone: the timm model; its state dict is what ``export`` writes.
        model: timm's name of it.
        left_out: names of tensors of a file of weights that are a classifier's.
        recordable: see `medssl_bench.encoders.recordable`.

    Args:
        model: timm's name of the model, or ``hf-hub:ORGANISATION/MODEL``.
        size: side of the images in pixels. A model that can take only one size (a ViT) resizes other images to it.
        pretrained: load the weights that timm downloads.
        normalize: ``half``, ``imagenet``, or ``auto`` (what the pretrained weights were trained with, else ``half``).
        options: further keyword arguments of ``timm.create_model``.
        settings: the size at which the network sees images, how they get there, their normalisation, and the pooling.

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
        normalize: Normalize = "auto",
        options: Mapping[str, Any] | None = None,
        settings: Settings = _AS_IS,
    ) -> None:
        super().__init__()
        options = dict(options or {})
        self.model, self.settings, self.size = model, settings, size
        self.backbone, options = self._made(options, pretrained=pretrained)
        use_small_map_convolutions(self.backbone)
        self.left_out: list[str] = []
        config = self.backbone.pretrained_cfg
        self._fit = settings.input_fit(config)
        self.input_size = settings.input_size
        self._one_size = getattr(getattr(self.backbone, "patch_embed", None), "strict_img_size", False)
        channels = options.get("in_chans", (config.get("input_size") or (3,))[0])
        if channels not in {1, 3}:
            raise StageError(f"timm model {model!r} takes {channels} channels; images have 3, or 1 where it sees grey")
        self._is_grey = channels == 1
        if settings.pooling:
            check_pooling(self.backbone, settings.pooling, model)
        self._normalize = normalize
        mean, std = self.normalisation(pretrained=pretrained)
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)
        self._card: dict[str, Any] = {
            "model": architecture_of(model, settings.revision),
            "options": written(options),
            "mean": list(mean),
            "std": list(std),
            "changes": [],
            **settings.beside(self._fit),
            **({"grey": True} if self._is_grey else {}),
        }
        self.dim = self._measure_dim()

    def normalisation(self, *, pretrained: bool) -> tuple[Channels, Channels]:
        """Return mean and standard deviation with or without pretrained weights; errors as of `normalisation`."""
        config = self.backbone.pretrained_cfg if pretrained else None
        given = (self.settings.mean, self.settings.std)
        return normalisation(self._normalize, given, config, 1 if self._is_grey else 3)

    def _made(self, options: dict[str, Any], *, pretrained: bool) -> tuple[Any, dict[str, Any]]:
        """Return the model at the size at which it sees images, and all options that it is made with."""
        revision, side = self.settings.revision, self.settings.input_size
        more: dict[str, Any] = {}
        if side is not None and "img_size" not in options and not options.get("dynamic_img_size"):
            have_config(self.model, revision)
            if config_of(self.model, revision).get("fixed_input_size"):
                more["img_size"] = side
        backbone = made(self.model, {**options, **more}, pretrained=pretrained, revision=revision)
        return backbone, {**options_of(self.model, revision), **options, **more}

    @property
    def card(self) -> dict[str, Any]:
        """How plain timm makes the same model: its name, options, normalisation, and changes in Python.

        What is done beside it is there too, where it is: ``input``, ``pooling`` and ``grey``, see `Settings.beside`.
        """
        return self._card

    @torch.no_grad()
    def _measure_dim(self) -> int:
        """Return the length of an image's features: what timm calls ``num_features`` is another one in some models."""
        self.eval()
        what, seen = f"timm model {self.model!r}", self._fit.size if self._fit else self.size
        try:
            features = self(torch.zeros(1, 3, self.size, self.size))
        except StageError:
            raise
        except Exception as error:
            if self._fit is None or not dropped_side(self.backbone, seen):
                reason = f"{what} cannot take images of {seen} pixels: {error}".partition("\n")[0].rstrip(".")
                raise StageError(f"{reason}{self._instead(seen)}") from error
        if patch := dropped_side(self.backbone, seen):
            raise StageError(
                f"{what}: patches of {patch} do not divide images of {seen} pixels: pixels would be dropped"
                f"; write {sizes_near(patch, seen)}"
            )
        is_smaller = seen < (self.backbone.pretrained_cfg.get("input_size") or (0,))[-1]
        channels = 1 if self._is_grey else 3
        if is_smaller and "img_size" not in self._card["options"] and repeats_a_patch(self.backbone, seen, channels):
            raise StageError(f"{what} sees one patch in images of {seen} pixels, and repeats it{self._instead(seen)}")
        if features.ndim != 2:
            raise StageError(f"{what} gives features of shape {tuple(features.shape)}; (B, D) is needed")
        self.train()
        return int(features.shape[1])

    def _instead(self, seen: int) -> str:
        """Return what to write for a model that cannot take images of this size, or an empty string."""
        sides = []
        side = (self.backbone.pretrained_cfg.get("input_size") or (0,))[-1]
        if self._fit is None and self._takes(seen):
            sides.append(seen)
        if side and side != seen:
            sides.append(side)
        if not sides:
            return ""
        own = f"; it was made for images of {side} pixels" if side else ""
        return f"{own}: write input_size = {' or input_size = '.join(map(str, sides))}"

    def _takes(self, side: int) -> bool:
        """Return whether the model can be made for images of a size."""
        try:
            with torch.device("meta"):
                options = {**self._card["options"], "img_size": side}
                model = timm.create_model(self._card["model"], num_classes=0, **options).eval()
                model(torch.zeros(1, 3, side, side))
        except Exception:  # noqa: BLE001 - it has no such option, or not this size
            return False
        return not dropped_side(model, side)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images, (B, 3, H, W) in [0, 1] to (B, D)."""
        seen, pooling = self._prepared(images), self.settings.pooling
        features: Tensor = (
            pooled(self.backbone, self.backbone.forward_features(seen), pooling) if pooling else self.backbone(seen)
        )
        return features

    def _prepared(self, images: Tensor) -> Tensor:
        """Return images as the model takes them: of its size and its channels, and normalised."""
        images = self._of_one_size(images) if self._fit is None else self._fit.resized(images)
        if self._is_grey:
            images = luma(images)
        images = (images - self.mean) / self.std
        return images if self._fit is None else self._fit.padded(images)

    def _of_one_size(self, images: Tensor) -> Tensor:
        """Return images as they are; of another size than the encoder's, they are resized if the model has one size."""
        size = images.shape[-1]
        if size == self.size:
            return images
        if self._one_size:
            return F.interpolate(images, (self.size, self.size), mode="bilinear", antialias=True)
        if patch := self._undivided(size):
            what = f"timm model {self.model!r}: patches of {patch} do not divide images of {size} pixels"
            raise StageError(f"{what}; give views of another size")
        return images

    def feature_map(self, images: Tensor) -> Tensor:
        """Return what the model sees before pooling: (B, D, h, w) of a convolutional one, (B, T, D) tokens of a ViT."""
        features: Tensor = self.backbone.forward_features(self._prepared(images))
        return features

    def _undivided(self, size: int) -> int:
        """Return the side of a ViT's patches if they do not divide images of a size, else 0."""
        return dropped_side(self.backbone, size) if isinstance(self.backbone, VisionTransformer) else 0

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
        model, pooling = self._vit("pooled"), self.settings.pooling
        features: Tensor = pooled(model, tokens, pooling) if pooling else model.forward_head(tokens)
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
        """Take the weights of a safetensors file, see `load_weights`; None does nothing.

        Raises:
            StageError: the file holds the weights of another model.
        """
        if file is not None:
            self.left_out = load_weights(self.backbone, file, self._card["model"])


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
