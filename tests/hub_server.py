"""A hub on this machine, which serves files as the real one does, and refuses what it refuses."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save

REFUSED = {"gated": (403, "GatedRepo"), "absent": (404, "RepoNotFound"), "old": (404, "RevisionNotFound")}
"""Repositories of any organisation that are refused: status, and the code that the hub's client reads."""


@dataclass
class Hub:
    """What a hub is asked, and how it answers.

    Attributes:
        address: ``http://127.0.0.1:PORT``.
        files: content by name; each repository has all of them.
        asked: method, path and token of each request.
        cut: bytes after which the connection breaks, once; 0: it does not.
        ranges: what was asked for of files of which a part was there.
    """

    files: Mapping[str, bytes]
    address: str = ""
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    cut: int = 0
    ranges: list[str] = field(default_factory=list)


@contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[Hub]:
    """Serve files until the block ends."""
    hub = Hub(files)

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            hub.asked.append((self.command, self.path, self.headers.get("Authorization")))
            content = hub.files.get(self.path.rpartition("/")[2])
            found = (404, "EntryNotFound") if content is None else (200, "")
            status, code = REFUSED.get(self.path.split("/")[2], found)
            content = (content or b"") if status == 200 else b""
            start = 0
            if (wanted := self.headers.get("Range", "")).startswith("bytes=") and status == 200:
                hub.ranges.append(wanted)
                start, status = int(wanted.removeprefix("bytes=").partition("-")[0]), 206
            self.send_response(status)
            if code:
                self.send_header("X-Error-Code", code)
            if status == 206:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", "a" * 40)
            self.end_headers()
            if self.command == "GET":
                sent = content[start:]
                if hub.cut and len(sent) > hub.cut:
                    sent, hub.cut = sent[: hub.cut], 0
                    self.close_connection = True
                self.wfile.write(sent)

        def do_GET(self) -> None:
            self.do_HEAD()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def ask(address: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hub's client ask an address, and keep what it fetches in a folder."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")


def published(model: str = "test_vit", *, classes: int = 0) -> tuple[dict[str, bytes], torch.nn.Module]:
    """Return the files of a repository of a model of timm, and the model."""
    torch.manual_seed(0)
    made = timm.create_model(model, num_classes=classes).eval()
    of_weights: dict[str, Any] = {
        "mean": [0.4] * 3,
        "std": [0.2] * 3,
        "input_size": [3, 160, 160],
        "fixed_input_size": "vit" in model,
        "num_classes": classes,
    }
    config = {"architecture": model, "pretrained_cfg": of_weights}
    return {"config.json": json.dumps(config).encode(), "model.safetensors": save(made.state_dict())}, made
