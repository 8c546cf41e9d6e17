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
        store: address of the other server, to which who asks for weights is sent, as the real hub does it.
        cut: bytes after which the connection breaks, once; 0: it does not.
        spoilt: whether weights arrive with another last byte than they have.
        ranges: what was asked for of files of which a part was there.
    """

    files: Mapping[str, bytes]
    address: str = ""
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    store: str = ""
    cut: int = 0
    spoilt: bool = False
    ranges: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    """Answers for a hub, and for the server that it sends who asks for weights to."""

    hub: Hub

    def do_HEAD(self) -> None:
        self.hub.asked.append((self.command, self.path, self.headers.get("Authorization")))
        content = self.hub.files.get(self.path.rpartition("/")[2])
        found = (404, "EntryNotFound") if content is None else (200, "")
        status, code = REFUSED.get(self.path.split("/")[2], found)
        if status != 200 or content is None:
            self.answer(status, b"", {"X-Error-Code": code} if code else {})
        elif "/resolve/" in self.path and self.path.endswith((".safetensors", ".bin")):
            place = self.hub.store + "/store" + self.path.replace("/resolve/", "/")
            linked = {"X-Linked-Size": str(len(content)), "X-Linked-ETag": f'"{_digest(content)}"'}
            self.answer(302, b"", {"Location": place, **linked})
        elif (wanted := self.headers.get("Range", "")).startswith("bytes="):
            self.hub.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
            place = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.answer(206, content[start:], {"Content-Range": place, "ETag": f'"{_digest(content)}"'})
        else:
            self.answer(200, content, {"ETag": f'"{_digest(content)}"'})

    def do_GET(self) -> None:
        self.do_HEAD()

    def answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "X-Repo-Commit": "a" * 40, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(self.on_its_way(body))

    def on_its_way(self, body: bytes) -> bytes:
        """Return what arrives."""
        if self.hub.spoilt and self.path.startswith("/store/"):
            body = body[:-1] + bytes([body[-1] ^ 1])
        if self.hub.cut and len(body) > self.hub.cut:
            body, self.hub.cut = body[: self.hub.cut], 0
            self.close_connection = True
        return body

    def log_message(self, *_arguments: object) -> None:
        pass


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[Hub]:
    """Serve files until the block ends."""
    hub = Hub(files)
    handler = type("Handler", (_Handler,), {"hub": hub})
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    hub.address, hub.store = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    try:
        yield hub
    finally:
        for server in servers:
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
