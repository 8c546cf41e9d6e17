"""Large files of a hub, fetched into the cache of its client: an interrupted download goes on, and digests are checked.

The client (huggingface_hub) begins anew in each process, and compares no digest. It takes a file that is in its cache
under the digest that the hub says, ``models--ORGANISATION--MODEL/blobs/SHA-256``, as it describes itself:
https://huggingface.co/docs/huggingface_hub/guides/manage-cache.
"""

from __future__ import annotations

import re
from http.client import HTTPException
from pathlib import Path
from ssl import SSLError
from urllib.error import URLError
from urllib.parse import urlsplit

from huggingface_hub import constants, get_hf_file_metadata, get_token, hf_hub_download, hf_hub_url
from huggingface_hub.errors import EntryNotFoundError

from medssl_bench.datasets.partial_files import write_out
from medssl_bench.datasets.progress import progress_bar
from medssl_bench.datasets.resume import resume
from medssl_bench.errors import DataError
from medssl_bench.plugin.content import file_digest

_SHA256 = re.compile(r"[0-9a-f]{64}")
"""The digest that a hub says of a large file; that of a small one is git's."""

_LARGE = (".safetensors", ".bin")


def download(repository: str, file: str, revision: str | None) -> Path:
    """Fetch a file of a hub into the cache, unless it is there, and return where it is.

    Args:
        repository: ``ORGANISATION/MODEL``.
        file: its name.
        revision: branch, tag or commit; None: the main branch.

    Raises:
        HfHubHTTPError: the hub refuses; see `huggingface_hub.errors`.
        OSError: it cannot be fetched.
        DataError: what came has another digest than the hub says.
    """
    if file.endswith(_LARGE):
        _prefetch(repository, file, revision)
    path = Path(hf_hub_download(repository, file, revision=revision))
    blob = path.resolve()
    if _SHA256.fullmatch(blob.name) and (found := file_digest(blob)) != blob.name:
        path.unlink()
        blob.unlink(missing_ok=True)
        raise DataError(_other(file, str(found), blob.name))
    return path


def _prefetch(repository: str, file: str, revision: str | None) -> None:
    """Put a large file where the client looks for it; leave to the client what is no large file, or is not there."""
    from filelock import FileLock

    url = hf_hub_url(repository, file, revision=revision)
    try:
        about = get_hf_file_metadata(url)
    except EntryNotFoundError:
        return
    digest = about.etag or ""
    cache, folder = Path(constants.HF_HUB_CACHE), f"models--{repository.replace('/', '--')}"
    blob = cache / folder / "blobs" / digest
    if not _SHA256.fullmatch(digest) or blob.exists():
        return
    part = blob.with_name(f"{digest}.part")
    # the token is for the hub alone, not for the server that it sends to
    is_of_hub = urlsplit(about.location).netloc == urlsplit(url).netloc
    headers = {"Authorization": f"Bearer {token}"} if is_of_hub and (token := get_token()) else {}
    lock = cache / ".locks" / folder / f"{digest}.lock"  # the client's own
    for place in (part, lock):
        place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        if blob.exists():  # another process had the lock and has fetched it
            return
        try:
            with progress_bar(f"downloading {file} of {repository}", "bytes") as shown:
                resume(about.location, part, shown, headers)
        except DataError:  # an address without encryption, as the user has chosen by HF_ENDPOINT
            return
        except URLError as error:
            if isinstance(error.reason, SSLError):  # the client has certificates of its own
                return
            raise
        except HTTPException as error:
            raise OSError(f"the server does not speak HTTP ({error})") from error
        write_out(part)
        if (found := file_digest(part)) != digest:
            part.unlink()
            raise DataError(_other(file, str(found), digest))
        part.replace(blob)


def _other(file: str, found: str, wanted: str) -> str:
    return f"what came of {file} has the SHA-256 {found}, the hub says {wanted}; it was deleted: fetch it again"
