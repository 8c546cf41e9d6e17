"""The classifier that `export` wrote into a folder, which needs neither suite nor store nor the training images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medssl_bench.errors import StageError, StoreError, UserError
from medssl_bench.models.prediction.classifier import Classifier
from medssl_bench.models.prediction.facts import Facts
from medssl_bench.store.reading import parse_json, read_text
from medssl_bench.store.tensors import load_tensors

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from medssl_bench.encoders.timm_encoder import TimmEncoder

_LARGEST = 64 * 2**20
"""Bytes of the largest `model.json` that is read: its identity and metrics can be long."""

_NO_OPTIONS = frozenset({"pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "checkpoint_path", "cache_dir"})
"""Options by which timm would read other files than these."""


def exported_classifier(folder: Path, device: torch.device) -> Classifier:
    """Return the classifier in a folder that `export` wrote. No code in it is run.

    Args:
        folder: with ``model.json``, ``encoder.safetensors`` and ``head.safetensors``.
        device: where to compute.

    Raises:
        UserError: it is no such folder, has no classifier, or is damaged.
    """
    file = folder / "model.json"
    try:
        card = parse_json(read_text(file, _LARGEST))
    except FileNotFoundError as error:
        raise UserError(f"{folder}: not a model that 'export' wrote: it has no model.json") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: cannot be read ({error})") from error
    if not isinstance(card, dict) or not (folder / "head.safetensors").is_file():
        raise UserError(f"{folder}: holds an encoder alone, without a head, so it predicts no classes")
    if "classifier" not in card:
        raise UserError(f"{file}: an older version wrote it, and it does not say how images are read; export it again")
    try:
        facts = Facts.from_data(card["classifier"])
        encoder = _encoder(card, facts.images.size)
        encoder.load_file(folder / "encoder.safetensors")
        return Classifier(encoder, load_tensors(folder / "head.safetensors"), facts, device)
    except (ValueError, TypeError, KeyError, StageError, StoreError) as error:
        raise UserError(f"{folder}: this is not what was written ({error}); export it again") from error


def _encoder(card: dict[str, Any], size: int) -> TimmEncoder:
    """Return the encoder that a card describes, with weights of no meaning.

    Raises:
        ValueError: it describes none that `export` writes.
        StageError: timm has no such model.
    """
    import torch

    from medssl_bench.encoders.settings import Settings
    from medssl_bench.encoders.timm_encoder import TimmEncoder, use_small_stem

    options = card["options"]
    if not isinstance(options, dict) or options.keys() & _NO_OPTIONS:
        raise ValueError(f"options {options!r} are none of a model")
    encoder = TimmEncoder(card["model"], size, options=options, settings=Settings.of_card(card))
    if card["changes"] and isinstance(getattr(encoder.backbone, "conv1", None), torch.nn.Conv2d):
        use_small_stem(encoder)
    for name in ("changes", "input", "pooling", "grey"):
        if encoder.card.get(name) != card.get(name):
            raise ValueError(f"{name} {card.get(name)!r} is none that is known")
    return encoder
