"""Takes encoders out of checkpoints that other programs wrote, without running what is in them."""

from __future__ import annotations

import re
from argparse import Namespace
from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import UserError
from medssl_bench.models.checkpoint_file import read_content
from medssl_bench.models.checkpoint_networks import choose, resnets_in, shown, tensors_in
from medssl_bench.models.checkpoint_resnet import resnet
from medssl_bench.models.checkpoint_vit import vit, vits_in

if TYPE_CHECKING:
    from pathlib import Path

    from medssl_bench.models.imported import ImportedEncoder

_OF_TRAINING = re.compile(r"[\w-]*(optim|sched|scaler|callback|loops)", re.IGNORECASE)
"""How names begin of what a training keeps beside a network."""


def read_encoder(file: Path, prefix: str | None = None) -> ImportedEncoder:
    """Return the encoder of a checkpoint: a Lightning ``.ckpt``, a state dict saved by ``torch.save``, or safetensors.

    Args:
        file: the checkpoint.
        prefix: prefix of the names of the encoder's tensors; None: the only ResNet or ViT there is.

    Raises:
        UserError: it cannot be read, wants to run code, or holds no ResNet or ViT, or several that differ.
    """
    content = read_content(file)
    try:
        tensors = tensors_in(content)
        network, note = choose([*resnets_in(tensors), *vits_in(tensors)], tensors, prefix)
        found = (vit if network.kind == "ViT" else resnet)(network, tensors)
    except ValueError as error:
        raise UserError(f"{file}: {error}") from error
    own = set(network.names.values())
    return replace(
        found,
        prefix=shown(network.prefix),
        left=sorted(shown(name) for name in tensors if name not in own and not _OF_TRAINING.match(name)),
        hyper_parameters=_hyper_parameters(content),
        notes=tuple(filter(None, [note, *found.notes])),
    )


def _hyper_parameters(content: Any) -> dict[str, Any]:
    """Return the plain values among a checkpoint's hyper-parameters; what else there is, no suite could use."""
    found = content.get("hyper_parameters") if isinstance(content, dict) else None
    if isinstance(found, Namespace):
        found = vars(found)
    if not isinstance(found, dict):
        return {}
    plain = (bool, int, float, str)
    return {
        str(name): value
        for name, value in found.items()
        if isinstance(value, plain) and not (isinstance(value, float) and not isfinite(value))
    }
