"""The weights of a network out of a checkpoint, and how they differ from those that a model has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from medssl_bench.models.checkpoint_networks import wrong_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from medssl_bench.models.checkpoint_networks import Network

COUNTER = "num_batches_tracked"

Shapes = dict[str, torch.Size]


def plain_weights(model: str, network: Network, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of a network as 32-bit floats, contiguous; counters as 64-bit integers.

    Args:
        model: what they are of, for messages.
        network: whose weights.
        tensors: of the checkpoint.

    Raises:
        ValueError: they are what no training can have meant.
    """
    found = {}
    for own, name in network.names.items():
        value = tensors[name]
        form = wrong_form(value)
        if not form and own.endswith(COUNTER):
            found[own] = value.detach().to(torch.int64).reshape(()) if value.numel() == 1 else torch.tensor(0)
            continue
        if not form and not value.is_floating_point():
            form = f"type {value.dtype}, not floats"
        plain = value if form else value.detach().to(torch.float32).contiguous()
        if not form and not bool(plain.isfinite().all()):
            form = "values that are not finite"
        if form:
            raise ValueError(f"these are no weights of a {model}: {own} has {form}")
        found[own] = plain
    return found


def differences(expected: Mapping[str, torch.Size], given: Mapping[str, torch.Size], besides: list[str]) -> str:
    """Return in few words how weights differ from those of a model, or an empty string.

    Args:
        expected: shapes that the model has.
        given: shapes that there are.
        besides: names of tensors that are no part of such a network.
    """
    told = [
        _some("it lacks", [key for key in expected if key not in given]),
        _some("it has besides", [*(key for key in given if key not in expected), *besides]),
        *(
            f"{key} has shape {tuple(given[key])}, not {tuple(shape)}"
            for key, shape in expected.items()
            if key in given and given[key] != shape
        ),
    ]
    return "; ".join([difference for difference in told if difference][:2])


def _some(what: str, names: list[str]) -> str:
    """Return the first of some names and how many there are beside it, or an empty string where there is none."""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{what} {names[0]}{more}" if names else ""
