"""Which weights an encoder asks to be downloaded, and which configuration."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medssl_bench.encoders.hub_names import CONFIG, cached_commit, cached_config, is_hub_name, repository_of

if TYPE_CHECKING:
    from pathlib import Path

    from medssl_bench.encoders.model_files import HubModel
    from medssl_bench.plugin.component import Component

OTHER_LIBRARIES = ("transformers", "open_clip")
"""Encoders that are called as the library that makes them, and whose `model` is a repository of a hub."""

_VITS = "_patch16_224"
"""What timm's names of `vit_tiny` and `vit_small` have behind these."""


@dataclass(frozen=True)
class GivenWeights:
    """A model whose configuration or weights are downloaded.

    Attributes:
        library: ``timm``, ``transformers`` or ``open_clip``.
        model: the library's name of it, or its repository.
        revision: branch, tag or commit of the repository; None: the main branch.
        overlay: what stands in place of timm's configuration of the weights, as JSON.
    """

    library: str
    model: str
    revision: str | None = None
    overlay: str = "null"

    @property
    def is_of_hub(self) -> bool:
        """Whether its name is that of a repository, whose authors can change what it means."""
        return self.library != "timm" or is_hub_name(self.model)

    def commit_here(self) -> str:
        """Return the commit that its configuration is of, as far as it is on this machine; else nothing."""
        if self.library == "timm":
            return cached_commit(repository_of(self.model), self.revision)
        from medssl_bench.encoders.model_files import CONFIGS

        return cached_commit(self.model, self.revision, CONFIGS.get(self.library, CONFIG))

    def config_is_here(self) -> bool:
        """Return whether its configuration is on this machine; that of timm's own models is in timm."""
        if self.library != "timm":
            return self._other().config_here() is not None
        return not self.is_of_hub or cached_config(self.model, self.revision) is not None

    def have_config(self) -> None:
        """Fetch its configuration, unless it is here.

        Raises:
            StageError: it cannot be had.
        """
        if self.library != "timm":
            self._other().have_config()
            return
        from medssl_bench.encoders import pretrained

        pretrained.have_config(self.model, self.revision)

    def are_here(self) -> bool:
        """Return whether its weights are on this machine.

        Raises:
            StageError: timm has none for it.
        """
        if self.library != "timm":
            return self._other().weights_here() is not None
        from medssl_bench.encoders import pretrained

        return pretrained.are_here(self.model, self.revision, self._overlay())

    def fetch(self) -> Path:
        """Return where its weights are on this machine, fetched if need be.

        Raises:
            StageError: they cannot be had.
        """
        if self.library != "timm":
            return self._other().have_weights()
        from medssl_bench.encoders import pretrained

        return pretrained.file_here(self.model, self.revision, self._overlay())

    def source(self) -> str:
        """Return the address of its weights, and their licence if timm knows it.

        Raises:
            StageError: timm has none for it.
        """
        if self.library != "timm":
            return self._other().address
        from medssl_bench.encoders import pretrained

        return pretrained.source(self.model, self.revision, self._overlay())

    def _other(self) -> HubModel:
        from medssl_bench.encoders.model_files import HubModel

        return HubModel(self.library, self.model, self.revision)

    def _overlay(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = json.loads(self.overlay)
        return found


def model_of(encoder: Component) -> GivenWeights | None:
    """Return the model that a built-in encoder takes from elsewhere, with or without its weights, or None."""
    given = encoder.parameters
    if encoder.plugin != "encoders" or "weights" not in given:
        return None
    if encoder.name in OTHER_LIBRARIES:
        return GivenWeights(encoder.name, given["model"], given["revision"]) if given["model"] else None
    own = f"{encoder.name}{_VITS}" if encoder.name.startswith("vit_") else encoder.name
    overlay = (given.get("options") or {}).get("pretrained_cfg_overlay")
    return GivenWeights(
        "timm", str(given.get("model", own)), given.get("revision"), json.dumps(overlay, sort_keys=True)
    )


def given_weights(encoder: Component) -> GivenWeights | None:
    """Return the weights that a built-in encoder asks to be downloaded, or None."""
    return model_of(encoder) if encoder.parameters.get("weights") == "pretrained" else None
