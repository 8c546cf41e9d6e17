"""What files beside a checkpoint say of how images were normalised when it was trained."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

if TYPE_CHECKING:
    from pathlib import Path

_FILES = (
    ("model.json", (), "mean", "std"),
    ("config.json", ("pretrained_cfg",), "mean", "std"),
    ("open_clip_config.json", ("preprocess_cfg",), "mean", "std"),
    ("preprocessor_config.json", (), "image_mean", "image_std"),
)
"""Where `export`, timm, open_clip and transformers write it: a file, the table in it, and the names of the values."""


@dataclass(frozen=True)
class KnownNormalisation:
    """Mean and standard deviation that images in [0, 1] are brought to 0 and 1 by.

    Attributes:
        mean: of each channel, or one for all.
        std: standard deviation, as `mean`.
        source: the file that says so; empty: the user does.
    """

    mean: list[float]
    std: list[float]
    source: str = ""

    @property
    def name(self) -> str:
        """What suites call it, or an empty string."""
        return next((name for name, values in _NAMED.items() if values == (self.mean, self.std)), "")


_NAMED: dict[Literal["half", "imagenet"], tuple[list[float], list[float]]] = {
    "half": ([0.5] * 3, [0.5] * 3),
    "imagenet": (list(IMAGENET_DEFAULT_MEAN), list(IMAGENET_DEFAULT_STD)),
}


def of_name(name: Literal["half", "imagenet"]) -> KnownNormalisation:
    """Return the normalisation that suites call so."""
    return KnownNormalisation(*_NAMED[name])


def normalisation_beside(checkpoint: Path) -> KnownNormalisation | None:
    """Return the normalisation that a file beside a checkpoint says, or None where none does."""
    for name, tables, mean_name, std_name in _FILES:
        try:
            said: Any = json.loads(checkpoint.with_name(name).read_text("utf-8"))
            for table in tables:
                said = said[table]
            mean, std = _numbers(said[mean_name]), _numbers(said[std_name])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if len(mean) == len(std) and min(std) > 0:
            return KnownNormalisation(mean, std, name)
    return None


def _numbers(values: Any) -> list[float]:
    """Return one or three finite numbers.

    Raises:
        ValueError: there are others.
        TypeError: these are none.
    """
    found = [float(value) for value in values]
    if len(found) not in {1, 3} or not all(map(math.isfinite, found)):
        raise ValueError("no normalisation")
    return found
