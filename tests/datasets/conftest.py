"""What the tests of data sets share: small npz files and a real HTTP server on this machine."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from medssl_bench.datasets import DatasetContext


@dataclass
class FileServer:
    """Serves `files`, as well or as badly as the test wants.

    `cut_at` lists, for one request after the other, the byte of the file at which the connection breaks off.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    cut_at: list[int] = field(default_factory=list)
    bytes_per_second: float = float("inf")
    redirect_to: str | None = None
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    served: FileServer

    def do_GET(self) -> None:
        served = self.served
        wanted = self.headers.get("Range")
        served.requests.append((self.path, wanted))
        content = served.files.get(self.path.lstrip("/"))
        if served.redirect_to is not None:
            self._head(302, Location=served.redirect_to)
            return
        if content is None:
            self.send_error(404)
            return
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and served.ranges else None
        if start is not None and start >= len(content):
            self._head(416, Content_Range=f"bytes */{len(content)}")
            return
        if start is None:
            self._head(200, Content_Length=str(len(content)))
        else:
            last = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self._head(206, Content_Length=str(len(content) - start), Content_Range=last)
        self._send(content[: served.cut_at.pop(0) if served.cut_at else None], start or 0)

    def _head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _send(self, content: bytes, start: int) -> None:
        step = 2**14
        for place in range(start, len(content), step):
            self.wfile.write(content[place : place + step])
            time.sleep(step / self.served.bytes_per_second)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature is http.server's
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed in mid-download is part of the tests."""


@pytest.fixture
def server():
    served = FileServer()
    httpd = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"served": served}))
    served.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def context(tmp_path: Path) -> DatasetContext:
    return DatasetContext(tmp_path / "data", tmp_path / "cache")


@pytest.fixture
def arrays():
    """Arrays in MedMNIST's layout: 3 classes, 8 x 8 grey images; tests change what they need."""
    rng = np.random.default_rng(0)
    return {
        f"{split}_{part}": values
        for split, count in {"train": 12, "val": 6, "test": 9}.items()
        for part, values in {
            "images": rng.integers(0, 256, (count, 8, 8), dtype=np.uint8),
            "labels": (np.arange(count) % 3).astype(np.uint8)[:, None],
        }.items()
    }
