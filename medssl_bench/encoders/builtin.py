"""The built-in encoders. Importing this module imports no torch: plans are made without it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from medssl_bench.encoders.brought_file import require_features
from medssl_bench.encoders.other_libraries import of_open_clip, of_transformers
from medssl_bench.encoders.shards import require_weights, shards_of
from medssl_bench.encoders.timm_names import checked_options, existing_model
from medssl_bench.plugin.markers import hookimpl
from medssl_bench.plugin.parameters import AddedLater, ForReaders, LooksInto

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from medssl_bench.plugin.registry import Register

Weights = Literal["scratch", "pretrained"]
WeightsFile = Annotated[Path | None, LooksInto(require_weights, shards_of)]
Normalize = Literal["auto", "half", "imagenet"]
PixelNumbers = Annotated[list[float], Field(min_length=1, max_length=3)]
TrainedOn = Annotated[list[str] | None, ForReaders()]
Given = Annotated[PixelNumbers | None, AddedLater(None)]


@hookimpl
def medssl_encoders(register: Register) -> None:
    """Register timm's models under the names that suites use."""
    for depth in (18, 34, 50):
        register(f"resnet{depth}", _resnet(f"resnet{depth}"))
    for width in ("tiny", "small"):
        register(f"vit_{width}", _vit(f"vit_{width}_patch16_224"))
    register("timm", any_timm)
    register("transformers", of_transformers)
    register("open_clip", of_open_clip)
    register("features", brought_features)


@cache
def _resnet(model: str) -> Callable[..., nn.Module]:
    def resnet(
        size: int,
        *,
        stem: Literal["imagenet", "small"] = "imagenet",
        weights: Weights = "scratch",
        weights_file: WeightsFile = None,
        normalize: Normalize = "auto",
        zero_init_last: bool = False,
        mean: Given = None,
        std: Given = None,
    ) -> nn.Module:
        from medssl_bench.encoders.settings import Settings
        from medssl_bench.encoders.timm_encoder import TimmEncoder, use_small_stem

        encoder = TimmEncoder(
            model,
            size,
            pretrained=weights == "pretrained",
            normalize=normalize,
            options={"zero_init_last": zero_init_last},
            settings=Settings(mean=mean, std=std),
        )
        if stem == "small":
            use_small_stem(encoder)
        encoder.load_file(weights_file)
        return encoder

    resnet.__doc__ = f"""{model.replace("resnet", "ResNet-")} (He et al. 2016), timm's ``{model}``.

    Args:
        stem: ``imagenet``, the ordinary 7x7 convolution of stride 2 and max-pooling, as the thesis uses it also at
            28 pixels; ``small``, a 3x3 convolution of stride 1 and no pooling, as usual for CIFAR.
        weights: ``scratch``, or ``pretrained`` for the weights that timm downloads (ImageNet).
        weights_file: safetensors file with an encoder's weights to start from, such as ``export`` writes.
        normalize: mean and standard deviation taken off the images: ``half`` (0.5 and 0.5), ``imagenet``, or
            ``auto``: `mean` and `std`, else what the pretrained weights were trained with, else ``half``.
        zero_init_last: start residual branches at zero, as timm does by default and torchvision does not.
        mean: of pixels in [0, 1]: one number, or one for each channel.
        std: standard deviation, as `mean`.
    """
    return resnet


@cache
def _vit(model: str) -> Callable[..., nn.Module]:
    def vit(
        size: int,
        *,
        patch: Annotated[int, Field(ge=2)] | None = None,
        weights: Weights = "scratch",
        weights_file: WeightsFile = None,
        normalize: Normalize = "auto",
        pool: Literal["cls", "avg"] = "cls",
        dynamic_img_size: bool = False,
        mean: Given = None,
        std: Given = None,
    ) -> nn.Module:
        from medssl_bench.encoders.patch import fitting_patch
        from medssl_bench.encoders.settings import Settings
        from medssl_bench.encoders.timm_encoder import TimmEncoder

        options: dict[str, Any] = {"img_size": size, "patch_size": fitting_patch(size, patch)}
        if pool == "avg":  # the normalisation stays before pooling, so weights have the same names
            options |= {"global_pool": "avg", "fc_norm": False}
        if dynamic_img_size:
            options["dynamic_img_size"] = True
        encoder = TimmEncoder(
            model,
            size,
            pretrained=weights == "pretrained",
            normalize=normalize,
            options=options,
            settings=Settings(mean=mean, std=std),
        )
        encoder.load_file(weights_file)
        return encoder

    name = model.split("_")[1].capitalize()
    vit.__doc__ = f"""ViT-{name} (Dosovitskiy et al. 2021), timm's ``{model}`` with a patch that fits the images.

    Args:
        patch: side of a patch in pixels; it must divide the image's side, else pixels would silently be dropped;
            none: 4 at 28 pixels, 8 at 64, 16 at 128 and 224.
        weights: ``scratch``, or ``pretrained`` for the weights that timm downloads (ImageNet), resampled to the patch.
        weights_file: safetensors file with an encoder's weights to start from, such as ``export`` writes.
        normalize: mean and standard deviation taken off the images: ``half`` (0.5 and 0.5), ``imagenet``, or
            ``auto``: `mean` and `std`, else what the pretrained weights were trained with, else ``half``.
        pool: what the features are: ``cls``, the class token, or ``avg``, the mean of the patches' tokens.
        dynamic_img_size: take images of other sizes as they are, with fewer or more patches and resampled positions,
            instead of resizing them; the patch must divide them.
        mean: of pixels in [0, 1]: one number, or one for each channel.
        std: standard deviation, as `mean`.
    """
    return vit


def any_timm(
    size: int,
    *,
    model: Annotated[str, AfterValidator(existing_model)],
    weights: Weights = "scratch",
    weights_file: WeightsFile = None,
    normalize: Normalize = "auto",
    options: Annotated[dict[str, Any], AfterValidator(checked_options)] = {},  # noqa: B006 - the default of the TOML table; never changed
    revision: Annotated[Annotated[str, Field(min_length=1)] | None, AddedLater(None)] = None,
    input_size: Annotated[Annotated[int, Field(ge=1)] | None, AddedLater(None)] = None,
    fit: Annotated[Literal["resize", "pad"], AddedLater("resize")] = "resize",
    interpolation: Annotated[Literal["auto", "nearest", "bilinear", "bicubic"], AddedLater("auto")] = "auto",
    crop_pct: Annotated[float, Field(gt=0, le=1), AddedLater(1.0)] = 1.0,
    mean: Given = None,
    std: Given = None,
    pooling: Annotated[Literal["cls", "mean", "cls_mean"] | None, AddedLater(None)] = None,
    trained_on: TrainedOn = None,  # noqa: ARG001 - for readers
) -> nn.Module:
    """Any model that timm can make, by its name, or a timm model of a hub, at any size of images.

    Args:
        model: timm's name of the model, such as ``convnext_atto``, or ``hf-hub:ORGANISATION/MODEL``.
        weights: ``scratch``, or ``pretrained`` for the weights that timm downloads.
        weights_file: safetensors file with weights to start from, such as ``export`` writes, or under the names that
            timm knows for the model: position embeddings and patches of another size are resampled.
        normalize: mean and standard deviation taken off the images: ``half`` (0.5 and 0.5), ``imagenet``, or
            ``auto``: `mean` and `std`, else what the pretrained weights were trained with, else ``half``.
        options: further keyword arguments of ``timm.create_model``; `mlp_layer` names a class of ``timm.layers``.
        revision: branch, tag or commit of the repository of the pretrained weights; none: its main branch.
        input_size: side in pixels at which the network sees images; none: that of the data set.
        fit: how images get there: ``resize``, or ``pad``, which keeps pixels as they are and puts the mean around them.
        interpolation: of ``resize``; ``auto`` is that of timm's configuration of the model.
        crop_pct: share of the side that is kept after ``resize``, in the middle, as timm crops for evaluation.
        mean: of pixels in [0, 1]: one number, or one for each channel.
        std: standard deviation, as `mean`.
        pooling: features of a ViT: the class token, the mean of the patches' tokens, or both one after the other; none:
            as the model pools them.
        trained_on: names of the data sets that given weights were trained on; none: what is known of the public model.
            Tables mark results on images that are among them; no result changes.
    """
    from medssl_bench.encoders.settings import Settings
    from medssl_bench.encoders.timm_encoder import TimmEncoder

    settings = Settings(revision, input_size, fit, interpolation, crop_pct, mean, std, pooling)
    encoder = TimmEncoder(
        model, size, pretrained=weights == "pretrained", normalize=normalize, options=options, settings=settings
    )
    encoder.load_file(weights_file)
    return encoder


def brought_features(
    size: int,  # noqa: ARG001 - every encoder's
    *,
    file: Annotated[Path, LooksInto(require_features)],
    trained_on: TrainedOn = None,  # noqa: ARG001 - for readers
) -> nn.Module:
    """Features that another program computed, such as those of a model that cannot be had here.

    They stand in tables beside encoders, and every table says that they were brought: how they were made is not known.
    They can be probed, not fine-tuned or pretrained.

    Args:
        file: an npz file with ``train_features``, ``val_features`` and ``test_features``, (N, D) each, in the order of
            the data set; or, for a folder or a table, in any order with ``train_names`` and so on, (N,) names of
            files. ``train_labels`` and so on, (N, L), are compared with the data set's. ``medssl-bench embed`` writes
            such a file. Or a Parquet file with a row for each image: columns ``split``, ``features`` (a list) or
            ``feature_0``, ``feature_1``, ..., and ``name`` and ``label`` where there are some.
        trained_on: names of the data sets that the model was trained on. Tables mark results on images that are among
            them; no result changes.
    """
    from medssl_bench.encoders.brought import BroughtFeatures

    return BroughtFeatures(file)
