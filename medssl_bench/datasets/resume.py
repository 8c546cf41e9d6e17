"""A download over HTTPS that goes on where an earlier one stopped.

pooch, the usual library for downloads, cannot resume one, and gives a downloader of one's own a temporary file under a
name that changes with every try.
"""

from __future__ import annotations

import re
import urllib.request
from http.client import HTTPException, HTTPResponse
from types import MappingProxyType
from typing import IO, TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlsplit

from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message
    from pathlib import Path

    from medssl_bench.datasets.progress import Report

_TIMEOUT = 30  # seconds without a byte
_CHUNK = 2**18
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+)")


def resume(url: str, part: Path, report: Report, headers: Mapping[str, str] = MappingProxyType({})) -> None:
    """Download a file, or what is missing of it.

    A broken connection is taken up again for as long as each try brings the file further.

    Args:
        url: address of the file; https, or http on this machine.
        part: where to write; what is there already is taken for the file's beginning.
        report: is called with the bytes that are there and their total, where the server says it.
        headers: further headers for this server, and for no other that it sends to.

    Raises:
        DataError: the address is neither https nor on this machine.
        OSError: the server cannot be reached, or refuses (`urllib.error.HTTPError`), or the file cannot be written.
        HTTPException: the server does not speak HTTP.
    """
    reached = _size(part)
    while True:
        try:
            _attempt(url, part, report, headers)
        except (OSError, HTTPException):
            if _size(part) <= reached:
                raise
            reached = _size(part)
        else:
            return


def _attempt(url: str, part: Path, report: Report, more: Mapping[str, str]) -> None:
    start = _size(part)
    headers = {"User-Agent": "medssl-bench", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        response = _open(url, headers, more)
    except HTTPError as error:
        error.close()
        if error.code != 416 or not start:
            raise
        if _range(error.headers)[1] != start:  # the part is longer than the file, and so not its beginning
            part.unlink()
            _attempt(url, part, report, more)
        return
    with response:
        first, total = _range(response.headers)
        if response.status == 200:  # asked for the whole file, or of a server that knows no ranges
            start, total = 0, _length(response.headers)
        elif (response.status, first) != (206, start):
            raise OSError(f"the server answered {response.status} to a request for the bytes from {start}")
        with part.open("ab" if start else "wb") as file:
            done = start
            while chunk := response.read1(_CHUNK):
                file.write(chunk)
                done += len(chunk)
                report(done, total)
    if total is not None and done != total:
        raise OSError(f"the connection broke off after {done:,} of {total:,} bytes")


def _open(url: str, headers: dict[str, str], more: Mapping[str, str]) -> HTTPResponse:
    host = _require_secure(url)
    handlers: list[urllib.request.BaseHandler] = [_SecureRedirects()]
    if host in _LOOPBACK:
        handlers.append(urllib.request.ProxyHandler({}))  # no proxy leads back to this machine
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the scheme has been checked
    for name, value in more.items():
        request.add_unredirected_header(name, value)
    response: HTTPResponse = urllib.request.build_opener(*handlers).open(request, timeout=_TIMEOUT)
    return response


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirection only to an address that `resume` would take."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        _require_secure(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _require_secure(url: str) -> str:
    """Return the host of an address."""
    try:
        split = urlsplit(url)
        host = split.hostname or ""
    except ValueError:
        raise DataError(f"{url!r} is not an address") from None
    if host and (split.scheme == "https" or (split.scheme == "http" and host in _LOOPBACK)):
        return host
    raise DataError(f"{url!r} is not an https address; http is taken from this machine alone (http://127.0.0.1)")


def _range(headers: Message) -> tuple[int | None, int | None]:
    """Return the first byte and the file's length that a Content-Range header states."""
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    if match is None:
        return None, None
    return int(match[1]) if match[1] else None, int(match[2])


def _length(headers: Message) -> int | None:
    text = headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
