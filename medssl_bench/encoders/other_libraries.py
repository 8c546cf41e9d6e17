"""Encoders of other libraries than timm, which are extras. Importing this module imports no torch."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from medssl_bench.encoders.hub_names import checked_repository
from medssl_bench.encoders.json_file import json_table
from medssl_bench.encoders.shards import require_weights, shards_of
from medssl_bench.errors import StageError
from medssl_bench.plugin.parameters import ForReaders, LooksInto, OrElse

if TYPE_CHECKING:
    from torch import nn

_EXTRAS = {"transformers": "transformers", "open_clip": "open-clip"}

Weights = Literal["scratch", "pretrained"]
WeightsFile = Annotated[Path | None, LooksInto(require_weights, shards_of)]
Repository = Annotated[str, AfterValidator(checked_repository)]
PixelNumbers = Annotated[list[float], Field(min_length=1, max_length=3)]
Interpolation = Literal["auto", "nearest", "bilinear", "bicubic"]
Share = Annotated[float, Field(gt=0, le=1)]


ConfigFile = Annotated[Path | None, LooksInto(json_table)]


def of_transformers(
    size: int,
    *,
    model: Annotated[Repository | None, OrElse("config_file")] = None,
    config_file: ConfigFile = None,
    preprocessor_file: ConfigFile = None,
    weights: Weights = "scratch",
    weights_file: WeightsFile = None,
    revision: Annotated[str, Field(min_length=1)] | None = None,
    input_size: Annotated[int, Field(ge=1)] | None = None,
    fit: Literal["resize", "pad"] = "resize",
    interpolation: Interpolation = "auto",
    crop_pct: Share = 1.0,
    mean: PixelNumbers | None = None,
    std: PixelNumbers | None = None,
    pooling: Literal["pooler", "cls", "mean", "cls_mean"] | None = None,
    trained_on: Annotated[list[str] | None, ForReaders()] = None,  # noqa: ARG001 - for readers
) -> nn.Module:
    """The image part of a model of Hugging Face's transformers (an extra), at any size of images.

    Args:
        model: repository of a hub, ``ORGANISATION/MODEL``; or write `config_file`.
        config_file: ``config.json`` of a model on this machine.
        preprocessor_file: its ``preprocessor_config.json``; none: `mean` and `std` must be given.
        weights: ``scratch``, or ``pretrained`` for the weights of the repository.
        weights_file: safetensors file with the weights of a model on this machine.
        revision: branch, tag or commit of the repository; none: its main branch.
        input_size: side in pixels at which the network sees images; none: what its preprocessing says.
        fit: how images get there: ``resize``, or ``pad``, which keeps pixels as they are and puts the mean around them.
        interpolation: of ``resize``; ``auto`` is that of its preprocessing.
        crop_pct: share of the side that is kept after ``resize``, in the middle.
        mean: of pixels in [0, 1]: one number, or one for each channel; none: that of its preprocessing.
        std: standard deviation, as `mean`.
        pooling: ``pooler``, the library's output of that name; ``cls``, the class token; ``mean``, that of the patches'
            tokens; ``cls_mean``, both; none: ``pooler`` of models without a class token (``mean``, that of the map,
            where convolutional ones have none) and of those with a text part, ``cls`` of others.
        trained_on: names of the data sets that given weights were trained on; none: what is known of the public model.
    """
    config, file = _files("transformers", model, config_file, weights, weights_file, revision)
    from medssl_bench.encoders.model_files import PREPROCESSOR
    from medssl_bench.encoders.settings import Settings
    from medssl_bench.encoders.transformers_encoder import TransformersEncoder

    beside = config.with_name(PREPROCESSOR)
    preprocessor = preprocessor_file or (beside if model is not None and beside.is_file() else None)
    settings = Settings(revision, input_size, fit, interpolation, crop_pct, mean, std)
    return TransformersEncoder(config, preprocessor, file, size, settings, pooling)


def of_open_clip(
    size: int,
    *,
    model: Annotated[Repository | None, OrElse("config_file")] = None,
    config_file: ConfigFile = None,
    weights: Weights = "scratch",
    weights_file: WeightsFile = None,
    revision: Annotated[str, Field(min_length=1)] | None = None,
    fit: Literal["resize", "pad"] = "resize",
    interpolation: Interpolation = "auto",
    crop_pct: Share = 1.0,
    mean: PixelNumbers | None = None,
    std: PixelNumbers | None = None,
    trained_on: Annotated[list[str] | None, ForReaders()] = None,  # noqa: ARG001 - for readers
) -> nn.Module:
    """The image part of a CLIP of open_clip (an extra), with its projection, at the size that it was made for.

    Args:
        model: repository of a hub, ``ORGANISATION/MODEL``; or write `config_file`.
        config_file: ``open_clip_config.json`` of a model on this machine.
        weights: ``scratch``, or ``pretrained`` for the weights of the repository.
        weights_file: safetensors file with the weights of a model on this machine.
        revision: branch, tag or commit of the repository; none: its main branch.
        fit: how images get to the size of the model: ``resize``, or ``pad``, which puts the mean around them.
        interpolation: of ``resize``; ``auto`` is that of its configuration.
        crop_pct: share of the side that is kept after ``resize``, in the middle.
        mean: of pixels in [0, 1]: one number, or one for each channel; none: that of its configuration.
        std: standard deviation, as `mean`.
        trained_on: names of the data sets that given weights were trained on; none: what is known of the public model.
    """
    config, file = _files("open_clip", model, config_file, weights, weights_file, revision)
    from medssl_bench.encoders.open_clip_encoder import OpenClipEncoder
    from medssl_bench.encoders.settings import Settings

    return OpenClipEncoder(config, file, size, Settings(None, None, fit, interpolation, crop_pct, mean, std))


def _files(
    library: str,
    model: str | None,
    config_file: Path | None,
    weights: Weights,
    weights_file: Path | None,
    revision: str | None,
) -> tuple[Path, Path | None]:
    """Return the files of configuration and weights, fetched if need be.

    Raises:
        StageError: the library is not installed, or the parameters contradict each other.
    """
    if find_spec(library) is None:
        raise StageError(f'{library} is not installed: pip install "medssl-bench[{_EXTRAS[library]}]"')
    if (model is None) == (config_file is None):
        raise StageError("write model, a repository of a hub, or config_file, and not both")
    if config_file is not None:
        if weights == "pretrained":
            raise StageError('weights = "pretrained" is for a model of a hub: write weights_file beside config_file')
        return config_file, weights_file
    if weights_file is not None:
        raise StageError("weights_file is for a model on this machine: write config_file, its configuration, too")
    from medssl_bench.encoders.model_files import HubModel

    assert model is not None
    found = HubModel(library, model, revision)
    file: Any = found.have_weights() if weights == "pretrained" else None
    return found.have_config(), file
