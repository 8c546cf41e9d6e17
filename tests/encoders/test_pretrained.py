"""Weights that timm downloads, from a hub on this machine and from one that does not answer."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save

from medssl_bench.encoders import pretrained
from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.errors import StageError

MODEL = "test_resnet"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return tmp_path


def _at(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[str], dict[str, torch.Tensor]]]:
    """Serve the weights of a model as the hub does; return what is asked for, and the weights."""
    torch.manual_seed(0)
    weights = timm.create_model(MODEL).state_dict()
    content, asked = save(weights), []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append(f"{self.command} {self.path}")
            found = self.path.endswith("/model.safetensors")
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(content) if found else 0))
            self.send_header("ETag", '"0123456789abcdef"')
            self.send_header("X-Repo-Commit", "a" * 40)
            self.end_headers()
            if found and self.command == "GET":
                self.wfile.write(content)

        def do_GET(self) -> None:
            self.do_HEAD()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _at(f"http://127.0.0.1:{server.server_port}", monkeypatch)
    yield asked, weights
    server.shutdown()
    server.server_close()


def test_weights_are_fetched_once_and_then_nobody_is_asked(
    cache: Path, hub: tuple[list[str], dict[str, torch.Tensor]]
) -> None:
    asked, weights = hub
    assert not pretrained.are_here(MODEL)
    pretrained.have_weights(MODEL)
    assert pretrained.are_here(MODEL)
    number = len(asked)
    encoder = TimmEncoder(MODEL, 28, pretrained=True)
    assert torch.equal(encoder.backbone.conv1[0].weight, weights["conv1.0.weight"])
    assert len(asked) == number, "what is here needs no network"
    assert not constants.HF_HUB_OFFLINE, "as it was"


def test_a_server_that_does_not_answer_is_tried_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _at("http://127.0.0.1:1", monkeypatch)
    start = time.perf_counter()
    with pytest.raises(StageError, match=r"cannot be had: they are not in .* and http://127\.0\.0\.1:1 does not") as no:
        TimmEncoder(MODEL, 28, pretrained=True)
    assert time.perf_counter() - start < 5
    assert "HF_HOME" in str(no.value)
    assert "\n" not in str(no.value)


def test_a_server_that_is_silent_is_waited_for_a_short_time(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        _at(f"http://127.0.0.1:{silent.getsockname()[1]}", monkeypatch)
        monkeypatch.setattr(pretrained, "_SECONDS", 0.3)
        with pytest.raises(StageError, match=r"does not answer \(timed out\)"):
            pretrained.have_weights(MODEL)


def test_offline_nobody_is_asked(
    cache: Path, hub: tuple[list[str], dict[str, torch.Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(StageError, match="HF_HUB_OFFLINE is set"):
        pretrained.have_weights(MODEL)
    assert hub[0] == []
    assert list(cache.iterdir()) == []


def test_a_model_without_weights() -> None:
    with pytest.raises(StageError, match="timm has no pretrained weights for it"):
        pretrained.are_here("cs3darknet_s")
