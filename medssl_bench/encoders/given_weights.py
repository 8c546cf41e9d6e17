"""Which weights an encoder asks to be downloaded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from medssl_bench.plugin.component import Component

_VITS = "_patch16_224"
"""What timm's names of `vit_tiny` and `vit_small` have behind these."""


@dataclass(frozen=True)
class GivenWeights:
    """Weights that are downloaded.

    Attributes:
        model: timm's name of the model, or one of a hub.
        revision: branch, tag or commit of their repository; None: the main branch.
        overlay: what stands in place of timm's configuration of them, as JSON.
    """

    model: str
    revision: str | None
    overlay: str

    def fetch(self) -> Path:
        """Return where they are on this machine, fetched if need be.

        Raises:
            StageError: they cannot be had.
        """
        from medssl_bench.encoders import pretrained

        overlay: dict[str, Any] | None = json.loads(self.overlay)
        return pretrained.file_here(self.model, self.revision, overlay)


def given_weights(encoder: Component) -> GivenWeights | None:
    """Return the weights that a built-in encoder asks to be downloaded, or None."""
    given = encoder.parameters
    if encoder.plugin != "encoders" or given.get("weights") != "pretrained":
        return None
    own = f"{encoder.name}{_VITS}" if encoder.name.startswith("vit_") else encoder.name
    overlay = (given.get("options") or {}).get("pretrained_cfg_overlay")
    return GivenWeights(str(given.get("model", own)), given.get("revision"), json.dumps(overlay, sort_keys=True))
