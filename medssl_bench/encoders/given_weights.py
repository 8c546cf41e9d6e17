"""Which weights an encoder asks to be downloaded, and which configuration."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.encoders.hub_names import (
    CONFIGS,
    cached_commit,
    cached_config,
    cached_file,
    is_hub_name,
    repository_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from medssl_bench.encoders.model_files import HubModel
    from medssl_bench.encoders.pretrained import TimmModel
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
        return cached_commit(repository_of(self.model), self.revision, CONFIGS[self.library])

    def config_is_here(self) -> bool:
        """Return whether its configuration is on this machine; that of timm's own models is in timm."""
        repository = repository_of(self.model)
        return not self.is_of_hub or cached_file(repository, CONFIGS[self.library], self.revision) is not None

    def are_of_another(self) -> bool:
        """Return whether they stand in the place of timm's own, and nothing says their mean and standard deviation."""
        overlay = json.loads(self.overlay) or {}
        if not overlay or self.is_of_hub or {"mean", "std"} <= overlay.keys():
            return False
        from medssl_bench.encoders.weights_place import place_of, timms_config

        own, place = timms_config(self.model), place_of(self.model, None, overlay)
        if place.repository:
            return place.repository != (own.get("hf_hub_id") or "").partition("@")[0]
        return place.files[0] != own.get("url")

    def says_normalisation(self) -> bool:
        """Return whether the configuration of a timm model of a hub, which is here, has mean and standard deviation.

        Of others it is True: timm knows its own models, and other libraries are asked elsewhere.
        """
        if self.library != "timm" or not self.is_of_hub:
            return True
        config = cached_config(self.model, self.revision) or {}
        return {"mean", "std"} <= config.get("pretrained_cfg", config).keys()

    def have_config(self) -> None:
        """Fetch its configuration, unless it is here.

        Raises:
            StageError: it cannot be had.
        """
        self._public().have_config()

    def are_here(self) -> bool:
        """Return whether its weights are on this machine.

        Raises:
            StageError: timm has none for it, or a file of them is damaged.
        """
        return self._public().has_weights()

    def fetch(self) -> Path:
        """Return where its weights are on this machine, fetched if need be.

        Raises:
            StageError: they cannot be had.
        """
        return self._public().have_weights()

    def source(self) -> str:
        """Return the address of its weights, and their licence if timm knows it.

        Raises:
            StageError: timm has none for it.
        """
        return self._public().source()

    def _public(self) -> TimmModel | HubModel:
        """Return what fetches it."""
        if self.library == "timm":
            from medssl_bench.encoders.pretrained import TimmModel

            return TimmModel(self.model, self.revision, json.loads(self.overlay))
        from medssl_bench.encoders.model_files import HubModel

        return HubModel(self.library, self.model, self.revision)


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
