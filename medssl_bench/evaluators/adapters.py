"""Low-rank adapters of an encoder (LoRA, Hu et al. 2022), by the package ``peft``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from torch import Tensor, nn

from medssl_bench.errors import StageError
from medssl_bench.randomness import forked


def add_adapters(encoder: nn.Module, rank: int, alpha: float | None, targets: Sequence[str], seed: int) -> None:
    """Add adapters to layers of an encoder, in place; nothing else of it is trained from then on.

    They change nothing at first: the second factor of each starts at 0.

    Args:
        encoder: the module.
        rank: of the product that is added to a weight.
        alpha: the product is multiplied by ``alpha / rank``; None: by 1.
        targets: endings of the names of the layers; none: all linear layers, or where there are none, all convolutions.
        seed: of the first factors.

    Raises:
        StageError: ``peft`` is not installed, there is no such layer, or it can have no adapter.
    """
    if find_spec("peft") is None:
        raise StageError("lora needs the package peft, which is not installed: pip install 'medssl-bench[lora]'")
    from peft import LoraConfig, inject_adapter_in_model

    linear, convolutions = _layers(encoder, nn.Linear), _layers(encoder, nn.Conv2d)
    names = list(targets) or linear or convolutions
    try:
        config = LoraConfig(r=rank, lora_alpha=rank if alpha is None else alpha, target_modules=names, bias="none")
        with forked(seed):
            inject_adapter_in_model(config, encoder)
    except ValueError as error:
        reason = " ".join(str(error).split()).partition(". ")[0].rstrip(".")
        endings = sorted(
            {ending for name in linear + convolutions if not (ending := name.rpartition(".")[2]).isdigit()}
        )
        can = f"; those that can are called {', '.join(endings)}" if endings else ""
        raise StageError(f"lora: these layers can have no adapters: {reason}{can}") from error


def merged_state(encoder: nn.Module) -> dict[str, Tensor]:
    """Return the state dict of the plain encoder whose weights have the adapters in them; they are merged for good."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    adapted: list[tuple[str, Any]] = [
        (name, module) for name, module in encoder.named_modules() if isinstance(module, BaseTunerLayer)
    ]
    for _, module in adapted:
        module.merge()
    state = encoder.state_dict()
    for name, module in adapted:
        for inside in [key for key in state if key.startswith(f"{name}.")]:
            del state[inside]
        state |= {f"{name}.{key}": tensor for key, tensor in module.get_base_layer().state_dict().items()}
    return dict(state)


def _layers(encoder: nn.Module, kind: type[nn.Module]) -> list[str]:
    return [name for name, module in encoder.named_modules() if isinstance(module, kind)]
