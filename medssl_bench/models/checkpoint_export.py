"""The encoder in a folder that `export` wrote, which says itself what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medssl_bench.models.imported import ImportedEncoder
from medssl_bench.store.reading import parse_json, read_text
from medssl_bench.store.tensors import load_tensors

if TYPE_CHECKING:
    from pathlib import Path

WEIGHTS = "encoder.safetensors"

_LARGEST = 64 * 2**20
"""Bytes of the largest `model.json` that is read."""


def exported_encoder(file: Path) -> ImportedEncoder | None:
    """Return the encoder of a folder that `export` wrote, or None if a file is no such encoder.

    Args:
        file: ``encoder.safetensors``, with ``model.json`` beside it.

    Raises:
        StoreError: its weights cannot be read.
    """
    card = _card(file)
    if card is None:
        return None
    shown = card.get("input") or {}
    settings = {name: value for name in ("fit", "interpolation", "crop_pct") if (value := shown.get(name)) is not None}
    if card.get("pooling"):
        settings["pooling"] = card["pooling"]
    return ImportedEncoder(
        model=str(card["model"]),
        weights=load_tensors(file),
        stem="small" if card["changes"] else "imagenet",
        input_size=int(shown.get("size", 0)),
        options=dict(card["options"]),
        settings=settings,
    )


def _card(file: Path) -> dict[str, Any] | None:
    if file.name != WEIGHTS:
        return None
    try:
        card = parse_json(read_text(file.with_name("model.json"), _LARGEST))
    except (OSError, ValueError):
        return None
    whole = isinstance(card, dict) and {"stage", "model", "options", "changes"} <= card.keys()
    return card if whole and isinstance(card["options"], dict) else None
