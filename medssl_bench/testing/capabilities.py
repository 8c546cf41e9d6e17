"""The contract of what an encoder may have beside its features: maps, and tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.testing.checking import Group, require
from medssl_bench.testing.small_data import SIZE, small_images

Make = Callable[[], nn.Module]


def capability_steps(make: Make) -> Group:
    """Return the steps for the capabilities that an encoder has; `make` makes it for the size of the small images."""
    made, steps = make(), []
    if hasattr(made, "feature_maps"):
        steps.append(("feature maps", lambda: _maps(make)))
    if hasattr(made, "tokens"):
        steps += [
            ("tokens", lambda: _tokens(make)),
            ("patches that are left out cannot be seen", lambda: _hidden(make)),
            ("tokens come in the order that is asked for", lambda: _ordered(make)),
        ]
    return steps


@torch.no_grad()
def _maps(make: Make) -> str:
    encoder: Any = make().eval()
    maps = encoder.feature_maps(small_images(3))
    require(isinstance(maps, list | tuple) and len(maps) > 0, f"feature_maps gives {type(maps).__name__}, not a list")
    for found in maps:
        sound = isinstance(found, Tensor) and found.ndim == 4 and len(found) == 3
        require(sound, "a map of 3 images is not of shape (3, C, h, w)")
        require(found.dtype == torch.float32, f"a map is {found.dtype}, not float32")
        require(torch.isfinite(found).all(), "a map has numbers that are not finite")
    sides = [found.shape[-1] for found in maps]
    require(sides == sorted(sides, reverse=True), f"the sides of the maps are {sides}; give the largest first")
    return ", ".join(f"{found.shape[1]} x {found.shape[2]} x {found.shape[3]}" for found in maps)


def _shape(encoder: Any) -> tuple[int, int]:
    """Return how many prefix tokens and patches an encoder says that it has."""
    for name in ("grid", "prefix_tokens", "pooled"):
        require(hasattr(encoder, name), f"an encoder with `tokens` needs `{name}`")
    rows, columns = encoder.grid
    sound = rows > 0 and columns > 0 and SIZE % rows == 0 and SIZE % columns == 0
    require(sound, f"a grid of {rows} x {columns} patches does not divide images of {SIZE} pixels")
    return int(encoder.prefix_tokens), rows * columns


@torch.no_grad()
def _tokens(make: Make) -> str:
    encoder: Any = make().eval()
    prefix, patches = _shape(encoder)
    images = small_images(3)
    tokens = encoder.tokens(images)
    wanted = (3, prefix + patches)
    require(tokens.ndim == 3 and tuple(tokens.shape[:2]) == wanted, f"tokens are {tuple(tokens.shape)}, not {wanted}")
    features = encoder.pooled(tokens)
    dim = feature_dim(encoder)
    require(tuple(features.shape) == (3, dim), f"pooled gives {tuple(features.shape)}, not (3, {dim})")
    require(torch.equal(features, encoder(images)), "the encoder's features are not its pooled tokens")
    return f"{prefix} + {patches} of {tokens.shape[-1]} numbers"


def _kept(patches: int) -> Tensor:
    """Return other patches of each of three images, a quarter of them."""
    order = torch.arange(patches).roll(patches // 3).view(-1, 1).flip(0).flatten()
    return torch.stack([order.roll(step)[: max(1, patches // 4)] for step in range(3)])


@torch.no_grad()
def _hidden(make: Make) -> str:
    encoder: Any = make().eval()
    prefix, patches = _shape(encoder)
    keep, images = _kept(patches), small_images(3)
    tokens = encoder.tokens(images, keep=keep)
    wanted = (3, prefix + keep.shape[1])
    require(tuple(tokens.shape[:2]) == wanted, f"{keep.shape[1]} patches give {tuple(tokens.shape)}, not {wanted}")
    rows, columns = encoder.grid
    seen = torch.zeros(3, patches).scatter(1, keep, 1.0).view(3, 1, rows, columns)
    seen = seen.repeat_interleave(SIZE // rows, 2).repeat_interleave(SIZE // columns, 3)
    others = torch.where(seen > 0, images, 1 - images)
    require(torch.equal(tokens, encoder.tokens(others, keep=keep)), "other pixels there give other tokens")
    same = torch.equal(tokens, encoder.tokens(1 - images, keep=keep))
    require(not same, "other pixels in the patches that are kept give the same tokens")
    return f"{keep.shape[1]} of {patches} are kept"


@torch.no_grad()
def _ordered(make: Make) -> str:
    encoder: Any = make().eval()
    prefix, patches = _shape(encoder)
    keep, images = _kept(patches), small_images(3)
    tokens, turned = encoder.tokens(images, keep=keep), encoder.tokens(images, keep=keep.flip(1))
    there_and_back = torch.cat([turned[:, :prefix], turned[:, prefix:].flip(1)], dim=1)
    worst = float((tokens - there_and_back).abs().max()) / (float(tokens.abs().max()) or 1.0)
    require(worst < 1e-4, f"another order of `keep` changes tokens by {worst:.1e} (relative)")
    return "yes"
