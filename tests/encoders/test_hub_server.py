"""A hub on this machine: a model is fetched by name and revision, and what the hub refuses is one line."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save

from medssl_bench.encoders import pretrained
from medssl_bench.encoders.settings import Settings
from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.errors import StageError

REFUSED = {"gated": (403, "GatedRepo"), "absent": (404, "RepoNotFound"), "old": (404, "RevisionNotFound")}


@pytest.fixture
def hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[list[tuple[str, str | None]], torch.nn.Module]]:
    """Serve ``lab/model`` as a hub does, and refuse others; return what was asked for, by which token, and a model."""
    torch.manual_seed(0)
    model = timm.create_model("test_vit", num_classes=0).eval()
    of_weights = {
        "mean": [0.4] * 3,
        "std": [0.2] * 3,
        "input_size": [3, 160, 160],
        "fixed_input_size": True,
        "num_classes": 0,
    }
    config = {"architecture": "test_vit", "pretrained_cfg": of_weights}
    files = {"config.json": json.dumps(config).encode(), "model.safetensors": save(model.state_dict())}
    asked: list[tuple[str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append((self.path, self.headers.get("Authorization")))
            content = files.get(self.path.rpartition("/")[2], b"")
            found = (200, "") if content else (404, "EntryNotFound")
            status, code = REFUSED.get(self.path.split("/")[2], found)
            content = content if status == 200 else b""
            self.send_response(status)
            if code:
                self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{len(content):040x}"')
            self.send_header("X-Repo-Commit", "a" * 40)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def do_GET(self) -> None:
            self.do_HEAD()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    yield asked, model
    server.shutdown()
    server.server_close()


def test_a_model_is_fetched_by_name_and_revision_once(hub, images, monkeypatch) -> None:
    asked, model = hub
    monkeypatch.setenv("HF_TOKEN", "hf_of_the_environment")
    pretrained.have_weights("hf-hub:lab/model", "v1")
    assert {path.rpartition("/")[0] for path, _ in asked if "lab" in path} == {"/lab/model/resolve/v1"}
    assert "Bearer hf_of_the_environment" in {token for _, token in asked}
    number = len(asked)
    encoder = TimmEncoder("hf-hub:lab/model", 160, pretrained=True, settings=Settings(revision="v1")).eval()
    with torch.no_grad():
        torch.testing.assert_close(encoder(images(1, 160)), model((images(1, 160) - 0.4) / 0.2))
    assert len(asked) == number, "what is here needs no network"
    assert encoder.card["model"] == "test_vit"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gated", "its authors give it only to those who ask; accept its terms at http://127.0.0.1:"),
        ("absent", "or only for those whose HF_TOKEN is set"),
        ("old", "has no revision 'v1'"),
    ],
)
def test_what_the_hub_refuses_is_one_line(hub, name, said) -> None:
    with pytest.raises(StageError, match="its configuration cannot be had: ") as caught:
        pretrained.have_config(f"hf-hub:lab/{name}", "v1")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
