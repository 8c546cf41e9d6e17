"""The files of a model of `transformers` or of open_clip: of a hub, or on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from huggingface_hub.errors import EntryNotFoundError

from medssl_bench.encoders.hub_names import CONFIGS, cached_file
from medssl_bench.encoders.json_file import json_table
from medssl_bench.encoders.pretrained import have
from medssl_bench.encoders.shards import all_tensors, shard_names, shards_of
from medssl_bench.encoders.weights_place import Place, require_whole_here
from medssl_bench.errors import StageError
from medssl_bench.store.tensors import load_tensors

if TYPE_CHECKING:
    from torch import Tensor

PREPROCESSOR = "preprocessor_config.json"

_WEIGHTS = {
    "transformers": (
        "model.safetensors",
        "model.safetensors.index.json",
        "pytorch_model.bin",
        "pytorch_model.bin.index.json",
    ),
    "open_clip": ("open_clip_model.safetensors", "open_clip_pytorch_model.bin"),
}


@dataclass(frozen=True)
class HubModel:
    """A model of a hub.

    Attributes:
        library: ``transformers`` or ``open_clip``.
        repository: ``ORGANISATION/MODEL``.
        revision: branch, tag or commit; None: the main branch.
    """

    library: str
    repository: str
    revision: str | None

    def have_config(self) -> Path:
        """Return the file of its configuration, fetched if need be; that of its preprocessing is fetched too.

        Raises:
            StageError: it cannot be had.
        """
        if found := self.config_here():
            return found
        what = f"model {self.repository!r}: its configuration cannot be had"
        if self.library == "transformers":  # first: once the configuration is here, the hub is not asked again
            try:
                have(self._place(PREPROCESSOR), what)
            except StageError as error:
                if not isinstance(error.__cause__, EntryNotFoundError):
                    raise
        have(self._place(CONFIGS[self.library]), what)
        found = self.config_here()
        assert found is not None
        return found

    def config_here(self) -> Path | None:
        """Return the file of its configuration, or None if it is not on this machine."""
        return cached_file(self.repository, CONFIGS[self.library], self.revision)

    def weights_here(self) -> Path | None:
        """Return the file of its weights, or the index of its shards, or None if they are not all on this machine."""
        file = self._first_here()
        return file if file and self._has_shards(file) else None

    def have_weights(self) -> Path:
        """Return the file of its weights, or the index of its shards, fetched if need be; its configuration with them.

        Raises:
            StageError: they cannot be had.
        """
        self.have_config()
        what = f"model {self.repository!r}: its weights cannot be had"
        have(self._place(*_WEIGHTS[self.library]), what)
        found = self._first_here()
        assert found is not None
        try:
            shards = shard_names(found)
        except (OSError, ValueError) as error:
            raise StageError(f"{what}: {found.name}: {error}") from error
        for name in shards:
            have(self._place(name), what)
        return found

    def has_weights(self) -> bool:
        """Return whether its weights are on this machine.

        Raises:
            StageError: a file of them is damaged.
        """
        if first := self._first_here():
            require_whole_here(first)
        file = self.weights_here()
        for shard in shards_of(file) if file else []:
            require_whole_here(shard)
        return file is not None

    def source(self) -> str:
        """Return its address, for people."""
        return self._place().address

    def _has_shards(self, file: Path) -> bool:
        try:
            shards_of(file)
        except (OSError, ValueError):
            return False
        return True

    def _first_here(self) -> Path | None:
        found = (cached_file(self.repository, name, self.revision) for name in _WEIGHTS[self.library])
        return next((file for file in found if file), None)

    def _place(self, *files: str) -> Place:
        return Place(self.repository, self.revision, files)


def read_json(file: Path) -> dict[str, Any]:
    """Return what a file of JSON holds.

    Raises:
        StageError: it is no table of JSON.
    """
    try:
        return json_table(file)
    except (OSError, ValueError) as error:
        raise StageError(f"{file}: {error}") from error


def read_weights(file: Path) -> dict[str, Tensor]:
    """Return the tensors of a file of weights, or of the shards of an index.

    They are safetensors, or state dicts of ``torch.save``, of which no code is run.

    Raises:
        StageError: a shard is missing, or holds no tensors.
        StoreError: it is a damaged safetensors file.
    """
    try:
        return all_tensors(file, _read_one)
    except (OSError, ValueError) as error:
        raise StageError(f"{file}: {error}") from error


def _read_one(file: Path) -> dict[str, Tensor]:
    if file.suffix != ".bin":
        return load_tensors(file)
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise StageError(f"{file}: its weights cannot be read: {' '.join(str(error).split())[:200]}") from error
    found = found.get("state_dict", found) if isinstance(found, dict) else {}
    return {name: value for name, value in found.items() if isinstance(value, torch.Tensor)}
