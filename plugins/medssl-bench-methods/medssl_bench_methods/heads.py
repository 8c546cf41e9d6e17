"""Projection and prediction heads: multi-layer perceptrons, with batch normalisation where a paper has it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn


def mlp(
    widths: Sequence[int], *, normalized: bool = True, last_normalized: bool = False, last_affine: bool = True
) -> nn.Sequential:
    """Return linear layers with ReLU between them.

    Args:
        widths: of the input, of each hidden layer, and of the output: two or more.
        normalized: whether a hidden layer has batch normalisation before its ReLU; its linear layer then has no bias.
        last_normalized: whether the output has batch normalisation, too.
        last_affine: whether that one has a scale and a shift which are learnt.
    """
    layers: list[nn.Module] = []
    last = len(widths) - 2
    for place, (before, after) in enumerate(pairwise(widths)):
        has_norm = last_normalized if place == last else normalized
        layers.append(nn.Linear(before, after, bias=not has_norm))
        if has_norm:
            layers.append(nn.BatchNorm1d(after, affine=last_affine or place < last))
        if place < last:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)
