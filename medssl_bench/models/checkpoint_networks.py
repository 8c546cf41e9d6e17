"""The tensors of a checkpoint, and the ResNets among them by their names, however the program called them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor

from medssl_bench.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DEEPEST = 10
_MOST = 200_000
"""Values in a checkpoint, tensors and others; a file with more is made to be never read."""

_NAMED = re.compile(r"(.*?)layer1\.0\.conv1\.weight")
_NUMBERED = re.compile(r"((?:.*?\.)?)(\d+)\.0\.conv1\.weight")
_BODY = re.compile(r"(conv|bn|layer)\d+\.")
"""Names of a ResNet's own parts, and of parts that a ResNet does not have but would pass images through."""

_HEAD = re.compile(
    r"fc|linear|lin_|head|proj|pred|proto|queue|classif|clf|cls|mlp|logit|cluster|centroid|memory|bank|center|temp|tau"
    r"|crit|loss|momentum|teacher|student|target|online|ema|decoder|aux|last|contrast|hidden|output|embed|metric|acc"
    r"|dense|regress|rotat|final|optim|sched|scaler|epoch|step|num_|mean|std"
)
"""What names of parts contain that features do not pass through."""

_USUAL = {
    "encoder_q": "MoCo's own evaluation takes",
    "teacher": "DINO's own evaluation takes",
    "online": "BYOL's own evaluation takes",
    "base_encoder": "MoCo v3's own evaluation takes",
}
"""Which of several networks is usually evaluated, by a word in its prefix."""


@dataclass(frozen=True)
class Network:
    """A ResNet or a vision transformer in a checkpoint.

    Attributes:
        prefix: of the names of its tensors.
        kind: which of the two.
        names: the names of its tensors in the checkpoint, by timm's names of them.
        besides: names behind the prefix of tensors that are neither its own nor those of a head.
        between: how many modules without tensors stand between the first normalisation and the first stage, of an
            ``nn.Sequential``; None: names do not tell.
    """

    prefix: str
    between: int | None = None
    names: dict[str, str] = field(default_factory=dict)
    besides: list[str] = field(default_factory=list)
    kind: Literal["ResNet", "ViT"] = "ResNet"


def tensors_in(content: Any) -> dict[str, Tensor]:
    """Return every tensor in a checkpoint, in tables and lists too, by the names that lead to it, joined by dots.

    Raises:
        ValueError: there are too many values in it.
    """
    found: dict[str, Tensor] = {}
    for seen, (name, value) in enumerate(_walk(content, "", 0)):
        if seen >= _MOST:
            raise ValueError(f"it holds more than {_MOST:,} values")
        if isinstance(value, Tensor):
            found[name] = value
    return found


def _walk(value: Any, name: str, depth: int) -> Iterator[tuple[str, Any]]:
    yield name, value
    if depth == _DEEPEST or not isinstance(value, dict | list | tuple):
        return
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _walk(item, f"{name}.{key}" if name else str(key), depth + 1)


def shown(prefix: str) -> str:
    """Return a prefix as a person writes it: where Lightning and others keep weights goes without saying."""
    return prefix.removeprefix("state_dict.")


def resnets_in(tensors: Mapping[str, Tensor]) -> list[Network]:
    """Return the ResNets among the tensors of a checkpoint.

    Their parts are called as torchvision and timm do (``conv1``, ``bn1``, ``layer1`` to ``layer4``), or by their
    places in an ``nn.Sequential`` of a ResNet's children, as lightly and fastai write them. In blocks, ``shortcut``
    means ``downsample``, as in many ResNets for CIFAR.
    """
    found = {}
    for name in tensors:
        for pattern, parts_of in ((_NAMED, _named_parts), (_NUMBERED, _numbered_parts)):
            match = pattern.fullmatch(name)
            parts = parts_of(match, tensors) if match else None
            if match and parts:
                found[match[1]] = parts
    return [_network(prefix, parts, tensors, found.keys() - {prefix}) for prefix, parts in found.items()]


def _named_parts(match: re.Match[str], tensors: Mapping[str, Tensor]) -> dict[str, str] | None:
    stages = [f"layer{number}." for number in (1, 2, 3, 4)]
    if not all(f"{match[1]}{stage}0.conv1.weight" in tensors for stage in stages):
        return None
    return {part: part for part in ("conv1.", "bn1.", *stages)}


def _numbered_parts(match: re.Match[str], tensors: Mapping[str, Tensor]) -> dict[str, str] | None:
    """Return timm's names of the parts of an ``nn.Sequential``, by their numbers."""
    prefix, first = match[1], int(match[2])
    stages = {f"{first + place}.": f"layer{place + 1}." for place in range(4)}
    if not all(f"{prefix}{number}0.conv1.weight" in tensors for number in stages):
        return None
    if f"{prefix}{first - 1}.0.conv1.weight" in tensors:  # the stages began before
        return None
    stem: dict[str, str] = {}
    for number in range(first):
        weight = tensors.get(f"{prefix}{number}.weight")
        if weight is not None and "conv1." not in stem.values() and weight.ndim == 4:
            stem[f"{number}."] = "conv1."
        elif weight is not None and "bn1." not in stem.values() and weight.ndim == 1:
            stem[f"{number}."] = "bn1."
    return {**stem, **stages}


def _network(prefix: str, parts: Mapping[str, str], tensors: Mapping[str, Tensor], others: Iterable[str]) -> Network:
    found = Network(prefix, _between(parts))
    longer = tuple(other for other in others if other.startswith(prefix))
    last = max((int(part[:-1]) for part in parts if part[:-1].isdecimal()), default=None)
    for name, tensor in tensors.items():
        if not name.startswith(prefix) or (longer and name.startswith(longer)):
            continue
        rest = name.removeprefix(prefix)
        part = next((part for part in parts if rest.startswith(part)), None)
        if part is not None:
            own = parts[part] + rest.removeprefix(part).replace("shortcut.", "downsample.")
            found.names[own] = name
        elif not is_of_a_head(rest, tensor, last):
            found.besides.append(rest)
    return found


def _between(parts: Mapping[str, str]) -> int | None:
    """Return how many numbers lie between those of ``bn1`` and of ``layer1``; None: the parts have names."""
    at = {own: int(part[:-1]) for part, own in parts.items() if part[:-1].isdecimal()}
    return at["layer1."] - at["bn1."] - 1 if {"bn1.", "layer1."} <= at.keys() else None


def is_of_a_head(rest: str, tensor: Tensor, last: int | None) -> bool:
    """Return whether a tensor is one that features do not pass through.

    Args:
        rest: its name behind the network's prefix.
        tensor: itself.
        last: the number of the network's last stage, if they have numbers.
    """
    part = rest.partition(".")[0]
    if last is not None and part.isdecimal():
        return int(part) > last and tensor.ndim <= 2  # a linear layer; a convolution would be a stage
    return not _BODY.match(rest) and _HEAD.search(part.lower()) is not None


def choose(networks: list[Network], tensors: Mapping[str, Tensor], wanted: str | None) -> tuple[Network, str]:
    """Return the one network that is meant, and a note if it was one of several.

    Args:
        networks: those of a checkpoint.
        tensors: of the checkpoint.
        wanted: the prefix that was asked for; None: there must be one, or all must have the same weights.

    Raises:
        UserError: there is none behind that prefix.
        ValueError: there is none, or there are several.
    """
    prefixes = [shown(network.prefix) for network in networks]
    listed = ", ".join(map(repr, prefixes)) or "none"
    if wanted is not None and tensors:
        wanted = wanted if not wanted or wanted.endswith(".") else f"{wanted}."
        if wanted not in prefixes:
            raise UserError(f"--prefix {wanted}: there is no ResNet and no ViT with this prefix; there are: {listed}")
        return networks[prefixes.index(wanted)], ""
    if not tensors:
        raise ValueError("there is no state dict in it")
    if not networks:
        raise ValueError(f"there is no ResNet and no ViT in it{_instead(tensors)}")
    if len(networks) == 1:
        return networks[0], ""
    if all(_same(networks[0], other, tensors) for other in networks[1:]):
        return networks[0], f"{len(networks)} networks in it have the same weights: {listed}"
    kinds = {f"{network.kind}s" for network in networks}
    several = kinds.pop() if len(kinds) == 1 else "networks"
    usual = next((f", such as {p!r}, which {why}" for w, why in _USUAL.items() for p in prefixes if w in p), "")
    raise ValueError(f"there are several {several} in it: {listed}; choose one with --prefix{usual}")


def _same(one: Network, other: Network, tensors: Mapping[str, Tensor]) -> bool:
    if one.names.keys() != other.names.keys():
        return False
    pairs = [(tensors[name], tensors[other.names[own]]) for own, name in one.names.items()]
    return all(_is_plain(a) and _is_plain(b) and a.shape == b.shape and bool((a == b).all()) for a, b in pairs)


def _is_plain(tensor: Tensor) -> bool:
    return not wrong_form(tensor)


def wrong_form(tensor: Tensor) -> str:
    """Return in what form a tensor is that has no plain numbers, or an empty string."""
    if tensor.is_meta:
        return "a shape without numbers (on torch's meta device)"
    if tensor.is_quantized:
        return "quantised numbers"
    if tensor.is_nested or str(tensor.layout) != "torch.strided":
        return f"a tensor that is not dense ({str(tensor.layout).removeprefix('torch.')})"
    return ""


_FAMILIES = {
    "a ViT of transformers, which the encoder 'transformers' takes (config_file, weights_file)": (
        "patch_embeddings.projection.",
        "embeddings.patch_embedding.",
    ),
    "a CLIP of OpenAI or open_clip, which the encoder 'timm' takes as weights_file, or 'open_clip'": (
        "visual.class_embedding",
        "visual.trunk.",
        "visual.conv1.",
    ),
    "a Swin Transformer{}": ("relative_position_bias_table", "cpb_mlp."),
    "a vision transformer under other names than timm's and torchvision's": (
        "patch_embed.",
        "cls_token",
        "conv_proj.",
        "class_embedding",
    ),
    "a DenseNet{}": ("denseblock",),
    "a network of convolutions in a list (VGG, AlexNet, MobileNet, EfficientNet)": ("features.0.",),
    "a ConvNeXt{}": ("stages.0.blocks.0.conv_dw",),
    "a ResNet of transformers, which the encoder 'transformers' takes (config_file, weights_file)": (
        "embedder.embedder.",
    ),
}


def _instead(tensors: Mapping[str, Tensor]) -> str:
    """Return what stands in a checkpoint instead."""
    names = list(tensors)
    looks = [what for what, marks in _FAMILIES.items() if any(mark in name for name in names for mark in marks)]
    of_timm = ", which the encoder 'timm' takes as weights_file where names are timm's (safetensors)"
    like = f", but what looks like {looks[0].format(of_timm)}" if looks else ""
    return f"{like}; its {len(names)} tensors begin with {names[0]!r}" if names else like
