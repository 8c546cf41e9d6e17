"""Which models timm has, read off its source: importing timm would import torch, and plans are made without it."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from medssl_bench.encoders.hub_names import checked_hub_name
from medssl_bench.errors import did_you_mean

_REGISTERED = re.compile(r"^@register_model\n(?:@.*\n)*def (\w+)\(", re.MULTILINE)
_DEPRECATED = re.compile(r"^register_model_deprecations\(__name__, \{(.*?)^\}", re.MULTILINE | re.DOTALL)
_KEY = re.compile(r"^\s*['\"](\w+)['\"]:", re.MULTILINE)

_NO_OPTIONS = {
    "checkpoint_path": "write weights_file, whose content is in the key of every result",
    "pretrained": 'write weights = "pretrained"',
    "pretrained_cfg": "write its tag in model (NAME.TAG), or pretrained_cfg_overlay",
    "cache_dir": "set HF_HOME in the environment",
    "num_classes": "an encoder has no classifier",
    "features_only": "an encoder gives one vector for each image",
}
"""Options of ``timm.create_model`` that are no matter of a suite, and what to do instead."""


def checked_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return options of ``timm.create_model``, if weights and outputs are not among them.

    Raises:
        ValueError: some are.
    """
    for name, instead in _NO_OPTIONS.items():
        if name in options:
            raise ValueError(f"{name} is no option of an encoder: {instead}")
    overlay = options.get("pretrained_cfg_overlay")
    if isinstance(overlay, dict) and "file" in overlay:
        raise ValueError(f"pretrained_cfg_overlay takes no file: {_NO_OPTIONS['checkpoint_path']}")
    return options


def existing_model(name: str) -> str:
    """Return the name of a model, with or without the tag of its weights, if timm has such a model.

    Of a model of a hub (``hf-hub:ORGANISATION/MODEL``) only the form of the name is known here.

    Raises:
        ValueError: it has not.
    """
    if ":" in name:
        return checked_hub_name(name)
    known = timm_models()
    if known and name.partition(".")[0] not in known:
        raise ValueError(f"timm has no model {name!r}{did_you_mean(name, known)}")
    return name


@lru_cache(maxsize=1)
def timm_models() -> frozenset[str]:
    """Return the names of timm's models, older names too; empty where its source cannot be read."""
    spec = find_spec("timm")
    if spec is None or spec.origin is None:
        return frozenset()
    found: set[str] = set()
    for file in (Path(spec.origin).parent / "models").glob("*.py"):
        text = file.read_text("utf-8")
        found.update(_REGISTERED.findall(text))
        for table in _DEPRECATED.findall(text):
            found.update(_KEY.findall(table))
    return frozenset(found)
