"""Names of models on a hub, and their configuration as far as it is on this machine. Nothing here imports torch."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

PREFIX = "hf-hub:"
CONFIG = "config.json"
CONFIGS = {"timm": CONFIG, "transformers": CONFIG, "open_clip": "open_clip_config.json"}
"""The file of a repository that has the configuration of its model, by the library that makes the model."""

_NAME = re.compile(r"[\w.-]+/[\w.-]+")


def is_hub_name(model: str) -> bool:
    """Return whether a model is named by its repository on the hub, such as ``hf-hub:timm/resnet18.a1_in1k``."""
    return model.startswith(PREFIX)


def repository_of(model: str) -> str:
    """Return the repository that a name of a hub says."""
    return model.removeprefix(PREFIX)


def checked_hub_name(model: str) -> str:
    """Return a name of a hub, with timm's usual prefix.

    Raises:
        ValueError: it names no repository, or more than one.
    """
    prefix, _, repository = model.partition(":")
    if prefix not in {"hf-hub", "hf_hub"}:
        raise ValueError(
            f"{model!r}: only models of timm and of a hub (hf-hub:ORGANISATION/MODEL) are taken by name; for a file on "
            f"this machine, write timm's name of the model and weights_file"
        )
    name, at, revision = repository.partition("@")
    if at:
        raise ValueError(f"{model!r}: write model = {PREFIX + name!r} and revision = {revision!r}")
    if not _NAME.fullmatch(repository):
        raise ValueError(f"{model!r}: a model of a hub is called hf-hub:ORGANISATION/MODEL")
    return PREFIX + repository


def checked_repository(name: str) -> str:
    """Return the name of a repository of a hub, without a prefix.

    Raises:
        ValueError: it is none.
    """
    repository = name.removeprefix(PREFIX)
    if not _NAME.fullmatch(repository):
        raise ValueError(
            f"{name!r}: a model of a hub is called ORGANISATION/MODEL; for one on this machine, write config_file and "
            f"weights_file"
        )
    return repository


def cached_file(repository: str, file: str, revision: str | None) -> Path | None:
    """Return where a file of a repository is on this machine, or None if it is not.

    Args:
        repository: ``ORGANISATION/MODEL``.
        file: its name.
        revision: branch, tag or commit; None: the main branch.
    """
    from huggingface_hub import constants, try_to_load_from_cache

    found = try_to_load_from_cache(repository, file, cache_dir=constants.HF_HUB_CACHE, revision=revision or "main")
    return Path(found) if isinstance(found, str) else None


def cached_config(model: str, revision: str | None) -> dict[str, Any] | None:
    """Return the configuration of a model of a hub, or None if it is not on this machine, or not one of timm's.

    Args:
        model: ``hf-hub:ORGANISATION/MODEL``.
        revision: branch, tag or commit; None: the main branch.
    """
    file = cached_file(repository_of(model), CONFIG, revision)
    if file is None:
        return None
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    is_timms = isinstance(found, dict) and isinstance(found.get("architecture"), str)
    return found if is_timms and isinstance(found.get("pretrained_cfg", {}), dict) else None


def cached_commit(repository: str, revision: str | None, file: str = CONFIG) -> str:
    """Return the commit that the configuration of a model is of, as far as it is on this machine; else nothing."""
    found = cached_file(repository, file, revision)
    return found.parent.name if found else ""
