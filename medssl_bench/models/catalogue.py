"""Public encoders that can be had by name: how large they are, whose they are, and whether their weights are here."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import timm

from medssl_bench.costs.timm_models import timm_arithmetic
from medssl_bench.encoders.given_weights import OTHER_LIBRARIES, GivenWeights
from medssl_bench.encoders.hub_names import PREFIX, cached_config, is_hub_name
from medssl_bench.encoders.trained_on import known_repositories, known_training
from medssl_bench.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_USUAL = (
    "resnet18.a1_in1k", "resnet50.a1_in1k", "densenet121.ra_in1k", "efficientnet_b0.ra_in1k",
    "vit_small_patch16_224.dino", "vit_base_patch16_224.mae", "vit_small_patch14_dinov2.lvd142m",
    "vit_base_patch14_dinov2.lvd142m", "vit_small_patch16_dinov3.lvd1689m", "convnext_tiny.dinov3_lvd1689m",
    "vit_base_patch16_clip_224.openai", "vit_base_patch16_clip_224.laion2b", "vit_base_patch16_siglip_224.webli",
)  # fmt: skip
"""Models that many papers compare with, of more than a thousand."""


@dataclass(frozen=True)
class PublicEncoder:
    """A public encoder.

    Attributes:
        name: what the parameter ``model`` of the encoder is called.
        encoder: name of the encoder that loads it.
        parameters: how many it has; None: not known before its configuration is here.
        input_size: side in pixels that it was made for; None: not known.
        licence: of the weights; empty: timm does not know it, see their page.
        source: address of the weights.
        trained_on: names of data sets, as far as they are known.
        is_here: whether the weights are on this machine.
    """

    name: str
    encoder: str
    parameters: int | None
    input_size: int | None
    licence: str
    source: str
    trained_on: tuple[str, ...]
    is_here: bool


def usual_encoders() -> list[PublicEncoder]:
    """Return the models that many papers compare with, and the medical ones that are known by name."""
    return [_described(*named) for named in (*((name, "timm") for name in _USUAL), *_of_hubs())]


def matching_encoders(patterns: Sequence[str]) -> list[PublicEncoder]:
    """Return the public encoders whose name has each of some texts in it; ``*``, ``?`` and ``[]`` mean any letters."""
    wanted = [f"*{pattern.lower()}*" for pattern in patterns]
    named = [(name, library) for name, library in all_encoders() if all(fnmatchcase(name.lower(), w) for w in wanted)]
    return [_described(*each) for each in named]


def all_encoders() -> list[tuple[str, str]]:
    """Return timm's pretrained models, and models of hubs that are known: each with the encoder that loads it."""
    return [*((name, "timm") for name in timm.list_pretrained()), *_of_hubs()]


def _of_hubs() -> Iterable[tuple[str, str]]:
    yield from ((f"{PREFIX}{repository}", "timm") for repository in known_repositories("timm"))
    yield from ((repository, library) for library in OTHER_LIBRARIES for repository in known_repositories(library))


def _described(name: str, library: str) -> PublicEncoder:
    weights = GivenWeights(library, name)
    architecture, licence, shape = "", "", ()
    if library == "timm" and is_hub_name(name):
        config = cached_config(name, None) or {}
        architecture = str(config.get("architecture", ""))
        shape = (config.get("pretrained_cfg") or {}).get("input_size") or ()
    elif library == "timm":
        known = timm.get_pretrained_cfg(name)
        assert known is not None
        architecture, licence, shape = name.partition(".")[0], known.license or "", known.input_size
    cost = timm_arithmetic(architecture) if architecture else None
    return PublicEncoder(
        name=name,
        encoder=library,
        parameters=round(cost.parameters) if cost else None,
        input_size=int(shape[-1]) if shape else None,
        licence=licence,
        source=weights.source().partition(";")[0],
        trained_on=known_training(name if library == "timm" else f"{PREFIX}{name}")[0],
        is_here=_is_here(weights),
    )


def _is_here(weights: GivenWeights) -> bool:
    try:
        return weights.are_here()
    except StageError:  # what is here is damaged
        return False
