"""A hub on this machine: a model is fetched by name and revision, and what the hub refuses is one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hub_server import Hub, ask, published, serving

from medssl_bench.encoders import pretrained
from medssl_bench.encoders.settings import Settings
from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.errors import StageError


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Hub, torch.nn.Module]]:
    """Serve a model, which every repository has, and return it."""
    files, model = published()
    with serving(files) as server:
        ask(server.address, tmp_path, monkeypatch)
        yield server, model


def test_a_model_is_fetched_by_name_and_revision_once(hub, images, monkeypatch) -> None:
    server, model = hub
    monkeypatch.setenv("HF_TOKEN", "hf_of_the_environment")
    pretrained.have_weights("hf-hub:lab/model", "v1")
    of_hub = {path.rpartition("/")[0] for _, path, _ in server.asked if path.startswith("/lab/")}
    assert of_hub == {"/lab/model/resolve/v1"}
    assert "Bearer hf_of_the_environment" in {token for _, _, token in server.asked}
    of_store = [(method, token) for method, path, token in server.asked if path.startswith("/store/")]
    assert of_store == [("GET", None)], "the token is not for the server that the hub sends to, which is asked once"
    number = len(server.asked)
    encoder = TimmEncoder("hf-hub:lab/model", 160, pretrained=True, settings=Settings(revision="v1")).eval()
    with torch.no_grad():
        torch.testing.assert_close(encoder(images(1, 160)), model((images(1, 160) - 0.4) / 0.2))
    assert len(server.asked) == number, "what is here needs no network"
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


def test_a_token_of_the_environment_is_in_no_file(hub, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_the_environment")
    pretrained.have_weights("hf-hub:lab/model")
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files
    assert not any(b"hf_of_the_environment" in file.read_bytes() for file in files)
