"""Takes a trained encoder out of a store, for use without this project."""

from __future__ import annotations

import json
import shutil
import uuid
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import UserError
from medssl_bench.store.tensors import save_tensors

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from medssl_bench.store.store import Store


def export_encoder(encoder: nn.Module, key: str, store: Store, output: Path) -> dict[str, Any]:
    """Write an encoder's weights and card to a new folder, whole or not at all.

    Args:
        encoder: a timm encoder.
        key: the stage that it comes from.
        store: where that stage is.
        output: the folder.

    Returns:
        The card.

    Raises:
        UserError: the encoder is not one of timm's.
    """
    from medssl_bench.encoders.timm_encoder import TimmEncoder

    if not isinstance(encoder, TimmEncoder):
        raise UserError(
            f"{type(encoder).__name__} is not one of timm's models; use medssl_bench.load_encoder({key[:12]!r})"
        )
    record = store.record(key)
    assert record is not None
    card = {
        **encoder.card,
        "size": encoder.size,
        "dim": encoder.dim,
        "stage": key,
        "title": record.title,
        "epochs_scale": record.epochs_scale,
        "metrics": record.metrics,
        "identity": record.identity,
        "provenance": record.provenance,
        "load": _lines(encoder.card),
    }
    part = output.with_name(f".{output.name}.{uuid.uuid4().hex[:8]}")
    part.mkdir(parents=True)
    try:
        save_tensors(encoder.backbone.state_dict(), part / "encoder.safetensors")
        (part / "model.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")
        part.rename(output)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return card


def _lines(card: dict[str, Any]) -> str:
    """Return the Python that loads the weights with plain timm."""
    options = "".join(f", {name}={value!r}" for name, value in card["options"].items())
    lines = [
        "import timm, torch",
        "from safetensors.torch import load_file",
        f"encoder = timm.create_model({card['model']!r}, num_classes=0{options})",
    ]
    if card["changes"]:
        lines += [f"encoder.{change}" for change in card["changes"]]
    lines += [
        "encoder.load_state_dict(load_file('encoder.safetensors'))",
        f"# images in [0, 1], normalised by mean {card['mean']} and standard deviation {card['std']}",
    ]
    return "\n".join(lines)
