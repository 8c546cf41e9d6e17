"""Where the pretrained weights of a model of timm are: on a hub or at an address, and on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

import timm
import torch
from huggingface_hub import constants

from medssl_bench.encoders.hub_names import cached_config, cached_file, is_hub_name, repository_of
from medssl_bench.encoders.weights_file import require_whole
from medssl_bench.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILES = ("model.safetensors", "pytorch_model.bin")
"""What timm looks for in a repository, in this order."""

_OF_OPEN_CLIP = "open_clip_pytorch_model.bin"


@dataclass(frozen=True)
class Place:
    """Where weights are: in a repository of a hub, under one of some names, or at an address of their own.

    Attributes:
        repository: ``ORGANISATION/NAME``; empty: `files` is one address.
        revision: branch, tag or commit of the repository; None: the main branch.
        files: names of the file, the first that is there is taken.
    """

    repository: str
    revision: str | None
    files: tuple[str, ...]

    def here(self) -> Path | None:
        """Return the first of the files that is in the cache, or None.

        Raises:
            StageError: it is damaged, such as one that was copied in part.
        """
        file = next((file for file in map(self.file, self.files) if file.is_file()), None)
        if file is not None:
            require_whole_here(file)
        return file

    def file(self, file: str) -> Path:
        """Return where one of the files is in the cache, or, of an address, will be."""
        if not self.repository:
            return self.cache / Path(urlparse(file).path).name
        return cached_file(self.repository, file, self.revision) or self.cache / "absent"

    @property
    def cache(self) -> Path:
        """The folder where what is downloaded is kept."""
        return Path(constants.HF_HUB_CACHE) if self.repository else Path(torch.hub.get_dir()) / "checkpoints"

    @property
    def address(self) -> str:
        """For people."""
        at = f" at {self.revision}" if self.revision else ""
        return f"{constants.ENDPOINT}/{self.repository}{at}" if self.repository else self.files[0]


def require_whole_here(file: Path) -> None:
    """Check that a file in the cache is whole.

    Raises:
        StageError: it is not.
    """
    try:
        require_whole(file)
    except (OSError, ValueError) as error:
        real = file.resolve()  # a hub's cache has links
        raise StageError(f"{real}: {error}; delete it, and it is fetched again") from error


def timms_config(model: str) -> dict[str, Any]:
    """Return what timm knows of the weights of a model; of one without weights nothing.

    Args:
        model: timm's name of it, with or without the tag of its weights.

    Raises:
        StageError: timm has no weights of this tag.
    """
    try:
        found = timm.get_pretrained_cfg(model)
    except RuntimeError as error:
        there = ", ".join(timm.list_pretrained(f"{model.partition('.')[0]}.*")) or "none"
        raise StageError(f"timm has no weights {model!r}; there are: {there}") from error
    return dict(found.to_dict()) if found else {}


def place_of(model: str, revision: str | None, overlay: Mapping[str, Any] | None) -> Place:
    """Return where the weights of a model are.

    Args:
        model: timm's name of it, with or without the tag of its weights, or ``hf-hub:ORGANISATION/MODEL``.
        revision: branch, tag or commit of the repository; None: the main branch.
        overlay: what a suite writes in place of timm's own configuration of the weights, such as ``hf_hub_id``.

    Raises:
        StageError: timm has none for it.
    """
    if is_hub_name(model):
        config = cached_config(model, revision) or {}
        return Place(
            repository_of(model), revision, _names(config.get("pretrained_cfg", config).get("hf_hub_filename"))
        )
    known = {**timms_config(model), **(overlay or {})}
    if known.get("hf_hub_id"):
        name, _, own = known["hf_hub_id"].partition("@")
        return Place(name, revision or own or None, _names(known.get("hf_hub_filename")))
    if revision:
        raise StageError(f"timm model {model!r}: its weights are in no repository of a hub, which a revision is of")
    if url := known.get("url"):
        return Place("", None, (url if isinstance(url, str) else url[0],))
    raise StageError(f'timm model {model!r}: timm has no pretrained weights for it; write weights = "scratch"')


def _names(file: str | None) -> tuple[str, ...]:
    """Return the names under which timm looks for the file of a repository, in its order."""
    if file is None:
        return _FILES
    if not file.endswith(".bin"):
        return (file,)
    stem = "open_clip_model" if file == _OF_OPEN_CLIP else file.removesuffix(".bin")
    return f"{stem}.safetensors", file
