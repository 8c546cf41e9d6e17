"""The Python with which plain torch and timm give the features of an exported encoder, from images to vectors."""

from __future__ import annotations

import math
from typing import Any

from medssl_bench.augmentations.ops.grayscale import LUMA


def features_code(model: dict[str, Any]) -> list[str]:
    """Return the lines of a function ``features``, which follow those that load the encoder.

    Args:
        model: what is in ``model.json``.
    """
    size, shown = model["size"], model.get("input") or {}
    resizes = shown.get("fit") == "resize"
    return [
        *(["", "", *_resized(shown)] if resizes else []),
        "",
        "",
        "@torch.no_grad()",
        f"def features(images):  # (B, 3, {size}, {size}) in [0, 1] to (B, {model['dim']})",
        f"    mean, std = torch.tensor({model['mean']}), torch.tensor({model['std']})",
        *(["    images = resized(images)"] if resizes else []),
        *(
            [f"    images = sum(w * c for w, c in zip({LUMA}, images.split(1, 1)))  # grey"]
            if model.get("grey")
            else []
        ),
        *_normalised(shown, model.get("pooling")),
    ]


def _normalised(shown: dict[str, Any], pooling: str | None) -> list[str]:
    """Return the lines from images of the right size to features."""
    normalised = "(images - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)"
    pads = shown.get("fit") == "pad"
    if not pads and not pooling:
        return [f"    return encoder({normalised})"]
    lines = [f"    images = {normalised}"]
    if pads:
        lines += [
            f"    more = max(0, {shown['size']} - images.shape[-1])  # zeros around them, after normalisation",
            "    images = torch.nn.functional.pad(images, (more // 2, more - more // 2) * 2)",
        ]
    if not pooling:
        return [*lines, "    return encoder(images)"]
    parts = {
        "cls": "tokens[:, 0]",
        "mean": "tokens[:, encoder.num_prefix_tokens:].mean(1)",
    }
    wanted = [code for name, code in parts.items() if name in pooling.split("_")]
    return [
        *lines,
        "    tokens = encoder.forward_features(images)",
        "    norm = getattr(encoder, 'fc_norm', torch.nn.Identity())",
        f"    return torch.cat([norm(part) for part in ({', '.join(wanted)},)], 1)",
    ]


def _resized(shown: dict[str, Any]) -> list[str]:
    """Return the lines of a function that brings images to the size at which the network sees them."""
    size, how = shown["size"], shown["interpolation"]
    scaled = math.floor(size / shown["crop_pct"])
    start = round((scaled - size) / 2)
    sides = f"((images.shape[-2], {scaled}), ({scaled}, {scaled}))" if how == "bicubic" else f"(({scaled}, {scaled}),)"
    smooth = "" if how == "nearest" else ", antialias=True"
    crop = f"[..., {start}:{start + size}, {start}:{start + size}]" if scaled != size else ""
    return [
        f"def resized(images):  # to the {size} pixels that the network sees",
        f"    for side in {sides}:",
        f"        if tuple(images.shape[-2:]) != ({scaled}, {scaled}):",
        f"            images = torch.nn.functional.interpolate(images, side, mode={how!r}{smooth})"
        + (".clamp(0, 1)" if how == "bicubic" else ""),
        f"    return images{crop}",
    ]
