"""Weights that timm downloads: whether they are here, and how they are fetched, once and without minutes of retries."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

import timm
import torch
from huggingface_hub import constants, hf_hub_download, hf_hub_url, try_to_load_from_cache

from medssl_bench.encoders.hub_names import CONFIG, cached_config, is_hub_name, repository_of
from medssl_bench.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECONDS = 10
"""How long the server may take to answer; the download itself may take any time."""

_FILES = ("model.safetensors", "pytorch_model.bin")
"""What timm looks for in a repository, in this order."""

_OF_OPEN_CLIP = "open_clip_pytorch_model.bin"

_OTHERWISE = "run once where there is a network and bring its cache along (HF_HOME names it), or set weights_file"


@dataclass(frozen=True)
class _Place:
    """Where weights are: in a repository of a hub, under one of some names, or at an address of their own.

    Attributes:
        repository: ``ORGANISATION/NAME``; empty: `files` is one address.
        revision: branch, tag or commit of the repository; None: the main branch.
        files: names of the file, the first that is there is taken.
    """

    repository: str
    revision: str | None
    files: tuple[str, ...]

    def is_here(self, file: str) -> bool:
        if not self.repository:
            return (self.cache / Path(urlparse(file).path).name).is_file()
        found = try_to_load_from_cache(
            self.repository, file, cache_dir=constants.HF_HUB_CACHE, revision=self.revision or "main"
        )
        return isinstance(found, str)

    @property
    def cache(self) -> Path:
        """The folder where what is downloaded is kept."""
        return Path(constants.HF_HUB_CACHE) if self.repository else Path(torch.hub.get_dir()) / "checkpoints"

    @property
    def address(self) -> str:
        """For people."""
        at = f" at {self.revision}" if self.revision else ""
        return f"{constants.ENDPOINT}/{self.repository}{at}" if self.repository else self.files[0]


def have_weights(model: str, revision: str | None = None, overlay: Mapping[str, Any] | None = None) -> None:
    """Fetch the pretrained weights of a model, unless they are here; of one of a hub also its configuration.

    Args:
        model: timm's name of it, with or without the tag of its weights, or ``hf-hub:ORGANISATION/MODEL``.
        revision: branch, tag or commit of the repository; None: the main branch.
        overlay: what a suite writes in place of timm's own configuration of the weights, such as ``hf_hub_id``.

    Raises:
        StageError: there are none, or they cannot be had; said after one attempt.
    """
    have_config(model, revision)
    _have(_place(model, revision, overlay), f"timm model {model!r}: its pretrained weights cannot be had")


def have_config(model: str, revision: str | None = None) -> None:
    """Fetch the configuration of a model of a hub, unless it is here; timm's own models have theirs in timm.

    Raises:
        StageError: it cannot be had, or is not one of timm's.
    """
    if not is_hub_name(model):
        return
    what = f"model {model!r}: its configuration cannot be had"
    _have(_Place(repository_of(model), revision, (CONFIG,)), what)
    if cached_config(model, revision) is None:
        raise StageError(
            f"model {model!r}: its {CONFIG} is not one of timm's, which name an architecture; write timm's name of the "
            f"model and where its weights are: see docs/how-to/encoders.md"
        )


def are_here(model: str, revision: str | None = None, overlay: Mapping[str, Any] | None = None) -> bool:
    """Return whether the pretrained weights of a model are in the cache already; arguments as of `have_weights`.

    Raises:
        StageError: timm has none for it.
    """
    if is_hub_name(model) and cached_config(model, revision) is None:
        return False
    place = _place(model, revision, overlay)
    return any(map(place.is_here, place.files))


def source(model: str, revision: str | None = None, overlay: Mapping[str, Any] | None = None) -> str:
    """Return the address of the pretrained weights of a model, and their licence if timm knows it.

    Raises:
        StageError: timm has none for it.
    """
    address = _place(model, revision, overlay).address
    known = None if is_hub_name(model) or overlay else timm.get_pretrained_cfg(model)
    licence = getattr(known, "license", None)
    return f"{address}; licence {licence}" if licence else address


@contextmanager
def from_cache() -> Iterator[None]:
    """Keep the hub's client from asking the network for what is in the cache; it would try for a minute."""
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _place(model: str, revision: str | None, overlay: Mapping[str, Any] | None) -> _Place:
    """Return where the weights of a model are."""
    if is_hub_name(model):
        config = cached_config(model, revision) or {}
        return _Place(
            repository_of(model), revision, _names(config.get("pretrained_cfg", config).get("hf_hub_filename"))
        )
    found = timm.get_pretrained_cfg(model)
    known = {**(found.to_dict() if found else {}), **(overlay or {})}
    if known.get("hf_hub_id"):
        name, _, own = known["hf_hub_id"].partition("@")
        return _Place(name, revision or own or None, _names(known.get("hf_hub_filename")))
    if revision:
        raise StageError(f"timm model {model!r}: its weights are in no repository of a hub, which a revision is of")
    if url := known.get("url"):
        return _Place("", None, (url if isinstance(url, str) else url[0],))
    raise StageError(f'timm model {model!r}: timm has no pretrained weights for it; write weights = "scratch"')


def _names(file: str | None) -> tuple[str, ...]:
    """Return the names under which timm looks for the file of a repository, in its order."""
    if file is None:
        return _FILES
    if not file.endswith(".bin"):
        return (file,)
    stem = "open_clip_model" if file == _OF_OPEN_CLIP else file.removesuffix(".bin")
    return f"{stem}.safetensors", file


def _have(place: _Place, what: str) -> None:
    """Fetch a file, unless it is here.

    Raises:
        StageError: it cannot be had; the message begins with `what`.
    """
    if any(map(place.is_here, place.files)):
        return
    if constants.HF_HUB_OFFLINE and place.repository:
        cache = constants.HF_HUB_CACHE
        raise StageError(f"{what}: {place.address} is not in {cache}, and HF_HUB_OFFLINE is set; {_OTHERWISE}")
    if reason := _unreachable(place):
        raise StageError(f"{what}: they are not in {place.cache}, and {reason}; {_OTHERWISE}")
    if place.repository:
        _download(place, what)


def _unreachable(place: _Place) -> str:
    """Return why the server of a model's weights does not answer, or an empty string."""
    file = place.files[0]
    address = hf_hub_url(place.repository, file, revision=place.revision) if place.repository else file
    host = f"{urlparse(address).scheme}://{urlparse(address).netloc}"
    if urlparse(address).scheme not in {"http", "https"}:
        return f"{address} is no address of a server"
    try:
        request = urllib.request.Request(address, method="HEAD")  # noqa: S310 - checked above
        with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
            return ""
    except urllib.error.HTTPError:  # it answers; what it has to say, the client tells
        return ""
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):  # the client has certificates of its own
            return ""
        return f"{host} does not answer ({' '.join(str(reason).split()) or type(error).__name__})"


def _download(place: _Place, what: str) -> None:
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        for file in place.files:
            try:
                hf_hub_download(place.repository, file, revision=place.revision)
            except EntryNotFoundError:
                if file == place.files[-1]:
                    raise
            else:
                return
    except GatedRepoError as error:
        how = (
            f"accept its terms at {constants.ENDPOINT}/{place.repository}, and set HF_TOKEN to a token of that account"
        )
        raise StageError(f"{what}: its authors give it only to those who ask; {how}") from error
    except RepositoryNotFoundError as error:
        raise StageError(f"{what}: there is no {place.address}, or only for those whose HF_TOKEN is set") from error
    except RevisionNotFoundError as error:
        raise StageError(f"{what}: {place.repository} has no revision {place.revision!r}") from error
    except EntryNotFoundError as error:
        raise StageError(f"{what}: {place.address} has no {' and no '.join(place.files)}") from error
    except Exception as error:
        raise StageError(f"{what}: {' '.join(str(error).split())[:300]}") from error
