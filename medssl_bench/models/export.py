"""Takes trained models out of a store, for use without this project."""

from __future__ import annotations

import json
import shutil
import uuid
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import UserError
from medssl_bench.store.places import for_strangers
from medssl_bench.store.tensors import load_tensors, save_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from torch import Tensor, nn

    from medssl_bench.store.store import Store

_FILES = {"encoder.safetensors", "head.safetensors", "model.json", "README.md"}
"""What a folder of a model holds; one with anything else is never replaced."""


def export_encoder(
    encoder: nn.Module,
    key: str,
    store: Store,
    output: Path,
    *,
    head: Path | None = None,
    classifier: Mapping[str, Any] | None = None,
    readme: Callable[[dict[str, Any]], str] | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write an encoder's weights and card to a new folder, whole or not at all.

    Args:
        encoder: a timm encoder.
        key: the stage that it comes from.
        store: where that stage is.
        output: the folder.
        head: safetensors file of the linear layer on top of it; None: there is none.
        classifier: what `predict` must know of encoder and head; None: nothing.
        readme: makes the model card of what is in ``model.json``; None: there is none.
        overwrite: replace an exported model of that name.

    Returns:
        What is in ``model.json``.

    Raises:
        UserError: the encoder is not one of timm's, or the folder cannot be written.
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
        "provenance": for_strangers(record).provenance,
        "load": _lines(encoder.card),
        **({"classifier": dict(classifier)} if classifier else {}),
    }
    more = {"head": load_tensors(head)} if head else {}
    text = readme(card) if readme else ""
    write_weights(encoder.backbone.state_dict(), card, output, more=more, readme=text, overwrite=overwrite)
    return card


def check_output(output: Path, *, overwrite: bool = False) -> None:
    """Raise an error if a folder of this name may not be made.

    Args:
        output: the folder.
        overwrite: whether a model that is there may be replaced; nothing else ever is.

    Raises:
        UserError: there is something already.
    """
    if not output.exists() and not output.is_symlink():
        return
    if not overwrite:
        raise UserError(f"-o {output}: this is there already; give the name of a new folder, or --overwrite")
    if output.is_symlink() or {file.name for file in _listed(output)} - _FILES or not _is_model(output):
        raise UserError(f"-o {output}: there is something else than a model of export or import; it is left alone")


def _listed(folder: Path) -> Iterator[Path]:
    return folder.iterdir() if folder.is_dir() else iter(())


def _is_model(folder: Path) -> bool:
    return (folder / "model.json").is_file() and (folder / "encoder.safetensors").is_file()


def write_weights(
    weights: Mapping[str, Tensor],
    card: Mapping[str, Any],
    output: Path,
    *,
    more: Mapping[str, Mapping[str, Tensor]] | None = None,
    readme: str = "",
    overwrite: bool = False,
) -> None:
    """Write ``encoder.safetensors`` and ``model.json`` to a new folder, whole or not at all.

    Args:
        weights: the encoder's.
        card: what is in ``model.json``.
        output: the folder.
        more: further weights, by file name without ending.
        readme: text of ``README.md``; empty: there is none.
        overwrite: replace a model of that name.

    Raises:
        UserError: the folder cannot be written, or is there already.
    """
    check_output(output, overwrite=overwrite)
    part = output.with_name(f".{output.name}.{uuid.uuid4().hex[:8]}")
    try:
        part.mkdir(parents=True)
        save_tensors(dict(weights), part / "encoder.safetensors")
        for name, tensors in (more or {}).items():
            save_tensors(dict(tensors), part / f"{name}.safetensors")
        (part / "model.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")
        if readme:
            (part / "README.md").write_text(readme, "utf-8")
        _put(part, output)
    except OSError as error:
        raise UserError(f"-o {output}: this cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _put(part: Path, output: Path) -> None:
    """Move a folder to its place; a model that is there is gone only once the new one stands."""
    if not output.exists():
        part.rename(output)
        return
    old = part.with_name(f"{part.name}.old")
    output.rename(old)
    try:
        part.rename(output)
    except OSError:
        old.rename(output)
        raise
    shutil.rmtree(old, ignore_errors=True)


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
    if card.keys() & {"input", "pooling", "grey"}:
        lines.append("# README.md has the code from images to features")
    return "\n".join(lines)
