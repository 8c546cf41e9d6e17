"""Weights that timm downloads: whether they are here, and how they are fetched, once and without minutes of retries."""

from __future__ import annotations

import errno
import re
import ssl
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

import timm
import torch
from huggingface_hub import constants, hf_hub_url

from medssl_bench.encoders.hub_download import download
from medssl_bench.encoders.hub_names import CONFIG, cached_config, is_hub_name, repository_of
from medssl_bench.encoders.weights_place import Place, place_of
from medssl_bench.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_SECONDS = 10
"""How long the server may take to answer; the download itself may take any time."""

_DIGEST = re.compile(r"-([a-f0-9]{8,})\.")
"""The beginning of a file's SHA-256 in its name, as PyTorch's have it."""

_OTHERWISE = (
    "do 'medssl-bench encoders fetch' where there is a network and bring its cache along (HF_HOME names it), or set "
    "weights_file"
)


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
    have(place_of(model, revision, overlay), f"timm model {model!r}: its pretrained weights cannot be had")


def have_config(model: str, revision: str | None = None) -> None:
    """Fetch the configuration of a model of a hub, unless it is here; timm's own models have theirs in timm.

    Raises:
        StageError: it cannot be had, or is not one of timm's.
    """
    if not is_hub_name(model):
        return
    what = f"model {model!r}: its configuration cannot be had"
    have(Place(repository_of(model), revision, (CONFIG,)), what)
    if cached_config(model, revision) is None:
        raise StageError(
            f"model {model!r}: its {CONFIG} is not one of timm's, which name an architecture; write timm's name of the "
            f"model and where its weights are: see docs/how-to/encoders.md"
        )


def are_here(model: str, revision: str | None = None, overlay: Mapping[str, Any] | None = None) -> bool:
    """Return whether the pretrained weights of a model are in the cache already; arguments as of `have_weights`.

    Raises:
        StageError: timm has none for it, or what is in the cache is damaged.
    """
    if is_hub_name(model) and cached_config(model, revision) is None:
        return False
    return place_of(model, revision, overlay).here() is not None


def source(model: str, revision: str | None = None, overlay: Mapping[str, Any] | None = None) -> str:
    """Return the address of the pretrained weights of a model, and their licence if timm knows it.

    Raises:
        StageError: timm has none for it.
    """
    address = place_of(model, revision, overlay).address
    known = None if is_hub_name(model) or overlay else timm.get_pretrained_cfg(model)
    licence = getattr(known, "license", None)
    return f"{address}; licence {licence}" if licence else address


def file_here(model: str, revision: str | None = None, overlay: Mapping[str, Any] | None = None) -> Path:
    """Return where the pretrained weights of a model are on this machine, fetched if need be.

    Raises:
        StageError: they cannot be had; arguments and errors as of `have_weights`.
    """
    have_weights(model, revision, overlay)
    file = place_of(model, revision, overlay).here()
    assert file is not None
    return file


@dataclass(frozen=True)
class TimmModel:
    """A model of timm, or of a hub in timm's form, with the weights that it is asked for.

    Attributes:
        model: as of `have_weights`.
        revision: likewise.
        overlay: likewise.
    """

    model: str
    revision: str | None = None
    overlay: Mapping[str, Any] | None = None

    def have_config(self) -> None:
        """Fetch its configuration, unless it is here; errors as of `have_config`."""
        have_config(self.model, self.revision)

    def has_weights(self) -> bool:
        """Return whether its weights are on this machine; errors as of `are_here`."""
        return are_here(self.model, self.revision, self.overlay)

    def have_weights(self) -> Path:
        """Return the file of its weights, fetched if need be; errors as of `file_here`."""
        return file_here(self.model, self.revision, self.overlay)

    def source(self) -> str:
        """Return the address of its weights, and their licence if timm knows it; errors as of `source`."""
        return source(self.model, self.revision, self.overlay)


@contextmanager
def from_cache() -> Iterator[None]:
    """Keep the hub's client from asking the network for what is in the cache; it would try for a minute."""
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def have(place: Place, what: str) -> None:
    """Fetch a file, unless it is here.

    Args:
        place: where it is.
        what: for whom, for the message.

    Raises:
        StageError: it cannot be had; the message begins with `what`.
    """
    if place.here():
        return
    if constants.HF_HUB_OFFLINE and place.repository:
        cache = constants.HF_HUB_CACHE
        raise StageError(f"{what}: {place.address} is not in {cache}, and HF_HUB_OFFLINE is set; {_OTHERWISE}")
    if reason := _unreachable(place):
        raise StageError(f"{what}: not in {place.cache}, and {reason}; {_OTHERWISE}")
    if place.repository:
        _download(place, what)
    else:
        _download_from(place, what)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else: a hub sends who asks for weights to another server, and urllib would begin to fetch them."""

    def redirect_request(self, *_arguments: Any) -> None:
        """Return that no other address is asked."""


def _unreachable(place: Place) -> str:
    """Return why the server of a model's weights does not answer, or an empty string."""
    file = place.files[0]
    address = hf_hub_url(place.repository, file, revision=place.revision) if place.repository else file
    host = f"{urlparse(address).scheme}://{urlparse(address).netloc}"
    if urlparse(address).scheme not in {"http", "https"}:
        return f"{address} is no address of a server"
    try:
        request = urllib.request.Request(address, method="HEAD")  # noqa: S310 - checked above
        with urllib.request.build_opener(_Stay).open(request, timeout=_SECONDS):
            return ""
    except urllib.error.HTTPError:  # it answers; what it has to say, the client tells
        return ""
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):  # the client has certificates of its own
            return ""
        return f"{host} does not answer ({' '.join(str(reason).split()) or type(error).__name__})"


def _reason(error: Exception, place: Place) -> str:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        elsewhere = "HF_HOME" if place.repository else "TORCH_HOME"
        return f"there is no room in {place.cache}: free some, or set {elsewhere} to another folder"
    return " ".join(str(error).split())[:300]


def _download_from(place: Place, what: str) -> None:
    """Fetch a file from an address of its own, to where timm looks for it."""
    file = place.files[0]
    target = place.file(file)
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = _DIGEST.search(target.name)
    try:
        torch.hub.download_url_to_file(file, str(target), digest[1] if digest else None)
    except Exception as error:
        raise StageError(f"{what}: {_reason(error, place)}") from error


def _download(place: Place, what: str) -> None:
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        for file in place.files:
            try:
                download(place.repository, file, place.revision)
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
        raise StageError(f"{what}: {_reason(error, place)}") from error
