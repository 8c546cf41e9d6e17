"""Weights that timm downloads: whether they are here, and how they are fetched, once and without minutes of retries."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse

import timm
import torch
from huggingface_hub import constants, hf_hub_download, hf_hub_url, try_to_load_from_cache

from medssl_bench.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 10
"""How long the server may take to answer; the download itself may take any time."""

_FILES = ("model.safetensors", "pytorch_model.bin")
"""What timm looks for in a repository, in this order."""

_OTHERWISE = "run once where there is a network and bring its cache along (HF_HOME names it), or set weights_file"


def have_weights(model: str) -> None:
    """Fetch the pretrained weights of a model, unless they are here.

    Args:
        model: timm's name of it, with or without the tag of its weights.

    Raises:
        StageError: there are none, or they cannot be had; said after one attempt.
    """
    if are_here(model):
        return
    what = f"timm model {model!r}: its pretrained weights cannot be had"
    repository, files = _place(model)
    if constants.HF_HUB_OFFLINE and repository:
        raise StageError(f"{what}: they are not in {constants.HF_HUB_CACHE}, and HF_HUB_OFFLINE is set; {_OTHERWISE}")
    if reason := _unreachable(model):
        raise StageError(f"{what}: they are not in {_cache(model)}, and {reason}; {_OTHERWISE}")
    try:
        if repository:
            _download(repository, files)
    except Exception as error:
        raise StageError(f"{what}: {' '.join(str(error).split())[:300]}") from error


def are_here(model: str) -> bool:
    """Return whether the pretrained weights of a model are in the cache already.

    Raises:
        StageError: timm has none for it.
    """
    repository, files = _place(model)
    if repository:
        name, revision = _revision(repository)
        return any(isinstance(try_to_load_from_cache(name, file, revision=revision), str) for file in files)
    return (_cache(model) / Path(urlparse(files[0]).path).name).is_file()


def source(model: str) -> str:
    """Return the address of the pretrained weights of a model.

    Raises:
        StageError: timm has none for it.
    """
    repository, files = _place(model)
    return f"{constants.ENDPOINT}/{repository}" if repository else files[0]


@contextmanager
def from_cache() -> Iterator[None]:
    """Keep the hub's client from asking the network for what is in the cache; it would try for a minute."""
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _place(model: str) -> tuple[str, tuple[str, ...]]:
    """Return the repository of weights and the names that their file may have, or an empty name and their address."""
    found = timm.get_pretrained_cfg(model)
    if found is not None and found.hf_hub_id:
        return found.hf_hub_id, (found.hf_hub_filename,) if found.hf_hub_filename else _FILES
    if found is not None and found.url:
        return "", (found.url if isinstance(found.url, str) else found.url[0],)
    raise StageError(f'timm model {model!r}: timm has no pretrained weights for it; write weights = "scratch"')


def _revision(repository: str) -> tuple[str, str | None]:
    name, _, revision = repository.partition("@")
    return name, revision or None


def _cache(model: str) -> Path:
    """Return the folder where the weights of a model are kept."""
    return Path(constants.HF_HUB_CACHE) if _place(model)[0] else Path(torch.hub.get_dir()) / "checkpoints"


def _unreachable(model: str) -> str:
    """Return why the server of a model's weights does not answer, or an empty string."""
    repository, files = _place(model)
    name, revision = _revision(repository)
    address = hf_hub_url(name, files[0], revision=revision) if repository else files[0]
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


def _download(repository: str, files: tuple[str, ...]) -> None:
    from huggingface_hub.errors import EntryNotFoundError

    name, revision = _revision(repository)
    for file in files:
        try:
            hf_hub_download(name, file, revision=revision)
        except EntryNotFoundError:
            if file == files[-1]:
                raise
        else:
            return
