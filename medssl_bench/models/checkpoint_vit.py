"""Finds the vision transformers in a checkpoint, under timm's names, DINO's, MAE's, DINOv2's or torchvision's."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import timm
import torch

from medssl_bench.models.checkpoint_networks import Network, is_of_a_head
from medssl_bench.models.checkpoint_weights import differences, plain_weights
from medssl_bench.models.imported import ImportedEncoder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

_MODELS = {
    64: ("test_vit", 6),
    192: ("vit_tiny_patch16_224", 12),
    384: ("vit_small_patch16_224", 12),
    768: ("vit_base_patch16_224", 12),
    1024: ("vit_large_patch16_224", 24),
    1280: ("vit_huge_patch14_224", 32),
    1408: ("vit_giant_patch14_224", 40),
    1536: ("vit_giant_patch14_dinov2", 40),
}
"""timm's ViTs and how many blocks they have, by the length of their tokens. The first is timm's own for tests."""

_FIRST = {
    re.compile(r"(.*?)blocks\.(?:0\.)?0\.attn\.qkv\.weight"): "patch_embed.proj.weight",
    re.compile(r"(.*?)encoder\.layers\.encoder_layer_0\.self_attention\.in_proj_weight"): "conv_proj.weight",
}
"""How a ViT is recognised: a tensor of its first block, and the one of its patches behind the same prefix."""

_OWN = re.compile(
    r"(cls_token|pos_embed|reg_token|register_tokens|patch_embed\.proj\.|blocks\.\d+\.|norm\.|norm_pre\.|fc_norm\.)"
)
_NO_FEATURE = re.compile(r"mask_token|decoder")
"""Names of parts of masked autoencoders that features do not pass through."""

_RENAMED = (
    (re.compile(r"blocks\.\d+\.(\d+)\."), r"blocks.\1."),  # DINOv2 keeps its blocks in chunks while it trains
    (re.compile(r"\.mlp\.w12\."), ".mlp.fc1."),
    (re.compile(r"\.mlp\.w3\."), ".mlp.fc2."),
    (re.compile(r"register_tokens"), "reg_token"),
    # torchvision's
    (re.compile(r"class_token"), "cls_token"),
    (re.compile(r"conv_proj\."), "patch_embed.proj."),
    (re.compile(r"encoder\.pos_embedding"), "pos_embed"),
    (re.compile(r"encoder\.ln\."), "norm."),
    (re.compile(r"encoder\.layers\.encoder_layer_(\d+)\."), r"blocks.\1."),
    (re.compile(r"\.ln_([12])\."), r".norm\1."),
    (re.compile(r"\.self_attention\.in_proj_"), ".attn.qkv."),
    (re.compile(r"\.self_attention\.out_proj\."), ".attn.proj."),
    (re.compile(r"\.mlp\.linear_([12])\."), r".mlp.fc\1."),
    (re.compile(r"\.mlp\.0\."), ".mlp.fc1."),
    (re.compile(r"\.mlp\.3\."), ".mlp.fc2."),
)
"""Names of other programs, and timm's."""


def vits_in(tensors: Mapping[str, Tensor]) -> list[Network]:
    """Return the vision transformers among the tensors of a checkpoint."""
    prefixes = []
    for name in tensors:
        for first, patches in _FIRST.items():
            match = first.fullmatch(name)
            weight = tensors.get(f"{match[1]}{patches}") if match else None
            if match and weight is not None and weight.ndim == 4:
                prefixes.append(match[1])
    return [_network(prefix, tensors, [each for each in prefixes if each != prefix]) for prefix in prefixes]


def _network(prefix: str, tensors: Mapping[str, Tensor], others: list[str]) -> Network:
    found = Network(prefix, kind="ViT")
    longer = tuple(other for other in others if other.startswith(prefix))
    for name, tensor in tensors.items():
        if not name.startswith(prefix) or (longer and name.startswith(longer)):
            continue
        rest = name.removeprefix(prefix)
        own = rest
        for pattern, renamed in _RENAMED:
            own = pattern.sub(renamed, own)
        if _OWN.match(own):
            found.names[own] = name
        elif not _NO_FEATURE.match(rest) and not is_of_a_head(rest, tensor, None):
            found.besides.append(rest)
    return found


def vit(network: Network, tensors: Mapping[str, Tensor]) -> ImportedEncoder:
    """Return a vision transformer of a checkpoint.

    Raises:
        ValueError: it is none that timm has, or its weights are what no training can have meant.
    """
    width, _, patch, _ = tensors[network.names["patch_embed.proj.weight"]].shape
    if width not in _MODELS:
        raise ValueError(
            f"it is a vision transformer whose tokens have length {width}; those of timm have "
            f"{', '.join(map(str, _MODELS))}"
        )
    model, depth = _MODELS[width]
    weights = _as_timms(plain_weights(model, network, tensors))
    side, tokens = _tokens(weights)
    options = {
        **({} if f"patch{patch}_" in model else {"patch_size": patch}),
        **_blocks(weights, depth),
        **({} if weights["patch_embed.proj.weight"].shape[1] == 3 else {"in_chans": 1}),
        **tokens,
    }
    with torch.device("meta"):
        built = timm.create_model(model, num_classes=0, img_size=side * patch, **options)
    expected = {name: value.shape for name, value in built.state_dict().items()}
    given = {name: value.shape for name, value in weights.items()}
    if difference := differences(expected, given, network.besides):
        raise ValueError(f"this is no vision transformer of timm, compared with {model}: {difference}")
    heads = built.blocks[0].attn.num_heads
    note = (
        f"the file does not say how many heads its attention has: taken to be {heads}, as timm's {model} has; "
        f"write num_heads into options for another number, such as the 12 of MoCo v3's ViT-S"
    )
    return ImportedEncoder(model=model, weights=weights, input_size=side * patch, options=options, notes=(note,))


def _as_timms(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights in which registers have no position, as timm has it: DINOv2 adds one to its class token alone."""
    if not {"reg_token", "cls_token", "pos_embed"} <= weights.keys() or _side(weights["pos_embed"].shape[1]):
        return weights
    places = weights["pos_embed"]
    moved = {"cls_token": weights["cls_token"] + places[:, :1], "pos_embed": places[:, 1:].contiguous()}
    return {**weights, **moved}


def _blocks(weights: Mapping[str, Tensor], usual: int) -> dict[str, Any]:
    """Return what timm must know of the blocks of a ViT that usually has so many."""
    options: dict[str, Any] = {}
    depth = len({name.split(".")[1] for name in weights if name.startswith("blocks.")})
    if depth != usual:
        options["depth"] = depth
    if "blocks.0.ls1.gamma" in weights:
        options["init_values"] = 1e-5  # what they begin with; the weights say what they are
    if "blocks.0.attn.qkv.bias" not in weights:
        options["qkv_bias"] = False
    if "norm_pre.weight" in weights:
        options["pre_norm"] = True
    return options


def _tokens(weights: Mapping[str, Tensor]) -> tuple[int, dict[str, Any]]:
    """Return how many patches are side by side in an image, and what timm must know of the other tokens.

    Raises:
        ValueError: its position embeddings are of no square of patches.
    """
    options: dict[str, Any] = {}
    places = weights["pos_embed"].shape[1] if "pos_embed" in weights else 0
    has_class = "cls_token" in weights
    side = _side(places)
    if has_class and side:
        options["no_embed_class"] = True
    elif has_class:
        side = _side(places - 1)
    if not places:
        raise ValueError(
            "it is a vision transformer without pos_embed, whose positions are of another kind (as in DINOv3, EVA and "
            "BEiT); the encoder 'timm' takes it as weights_file where its names are timm's (safetensors)"
        )
    if not side:
        raise ValueError(f"its position embeddings are of {places} tokens, which is no square of patches")
    if "reg_token" in weights:
        options["reg_tokens"] = weights["reg_token"].shape[1]
    pooled_first = "fc_norm.weight" in weights
    if not has_class:
        options |= {"class_token": False, "global_pool": "avg", "fc_norm": pooled_first}
    elif pooled_first:
        options["global_pool"] = "avg"
    return side, options


def _side(tokens: int) -> int:
    """Return the side of a square of tokens, or 0 if it is none."""
    side = math.isqrt(max(tokens, 0))
    return side if side * side == tokens else 0
