"""Weights that timm downloads, from a hub on this machine and from one that does not answer."""

from __future__ import annotations

import errno
import hashlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hub_server import Hub, ask, published, serving
from huggingface_hub import constants
from safetensors.torch import load_file

from medssl_bench.encoders import hub_download, pretrained
from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.errors import StageError

MODEL = "test_resnet"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Hub, torch.nn.Module]]:
    """Serve the weights of a model as the hub does; return the hub and the model."""
    files, model = published(MODEL, classes=1000)
    with serving({"model.safetensors": files["model.safetensors"]}) as server:
        ask(server.address, tmp_path, monkeypatch)
        yield server, model


def test_weights_are_fetched_once_and_the_hub_is_not_asked_again(hub: tuple[Hub, torch.nn.Module]) -> None:
    server, model = hub
    assert not pretrained.are_here(MODEL)
    pretrained.have_weights(MODEL)
    assert pretrained.are_here(MODEL)
    number = len(server.asked)
    encoder = TimmEncoder(MODEL, 28, pretrained=True)
    assert torch.equal(encoder.backbone.conv1[0].weight, model.state_dict()["conv1.0.weight"])
    assert len(server.asked) == number, "what is here needs no network"
    assert not constants.HF_HUB_OFFLINE, "as it was"


def test_a_server_that_does_not_answer_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("http://127.0.0.1:1", tmp_path, monkeypatch)
    start = time.perf_counter()
    with pytest.raises(StageError, match=r"cannot be had: not in .* and http://127\.0\.0\.1:1 does not") as no:
        TimmEncoder(MODEL, 28, pretrained=True)
    assert time.perf_counter() - start < 5
    assert "HF_HOME" in str(no.value)
    assert "\n" not in str(no.value)


def test_a_server_that_is_silent_is_waited_for_a_short_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ask(f"http://127.0.0.1:{silent.getsockname()[1]}", tmp_path, monkeypatch)
        monkeypatch.setattr(pretrained, "_SECONDS", 0.3)
        with pytest.raises(StageError, match=r"does not answer \(timed out\)"):
            pretrained.have_weights(MODEL)


def test_offline_nobody_is_asked(
    tmp_path: Path, hub: tuple[Hub, torch.nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(StageError, match="HF_HUB_OFFLINE is set"):
        pretrained.have_weights(MODEL)
    assert hub[0].asked == []
    assert list(tmp_path.iterdir()) == []


def test_a_model_without_weights() -> None:
    with pytest.raises(StageError, match="timm has no pretrained weights for it"):
        pretrained.are_here("cs3darknet_s")


def test_a_tag_that_there_is_not() -> None:
    with pytest.raises(StageError, match=r"no weights 'test_resnet.r1'; there are: test_resnet\.r160_in1k"):
        pretrained.have_weights("test_resnet.r1")


def test_weights_at_an_address_are_fetched_to_where_timm_looks(
    tmp_path: Path, hub: tuple[Hub, torch.nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, model = hub
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))
    overlay = {"hf_hub_id": None, "url": f"{server.address}/files/of/model.safetensors"}
    file = pretrained.file_here(MODEL, None, overlay)
    assert file == tmp_path / "torch" / "checkpoints" / "model.safetensors"
    number = len(server.asked)
    assert pretrained.file_here(MODEL, None, overlay) == file
    assert len(server.asked) == number
    assert load_file(file).keys() == model.state_dict().keys()
    monkeypatch.setitem(overlay, "url", f"{server.address}/files/of/nothing.pth")
    with pytest.raises(StageError, match="cannot be had: HTTP Error 404"):
        pretrained.file_here(MODEL, None, overlay)
    assert list(file.parent.iterdir()) == [file]


def test_a_download_that_was_cut_off_goes_on_where_it_was(hub: tuple[Hub, torch.nn.Module]) -> None:
    server, model = hub
    server.cut = 100_000
    file = pretrained.file_here(MODEL)
    assert server.ranges == ["bytes=100000-"]
    assert load_file(file).keys() == model.state_dict().keys()


def _part(server: Hub, cache: Path, bytes_of_it: bytes) -> Path:
    """Leave what a process leaves that is killed while it fetches."""
    digest = hashlib.sha256(server.files["model.safetensors"]).hexdigest()
    part = cache / "models--timm--test_resnet.r160_in1k" / "blobs" / f"{digest}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes_of_it)
    return part


def test_what_a_killed_process_has_fetched_is_not_fetched_again(
    hub: tuple[Hub, torch.nn.Module], tmp_path: Path
) -> None:
    server, _ = hub
    content = server.files["model.safetensors"]
    part = _part(server, tmp_path, content[:70_000])
    assert pretrained.file_here(MODEL).read_bytes() == content
    assert server.ranges == ["bytes=70000-"]
    assert not part.exists()


@pytest.mark.parametrize("where", ["on its way", "in what was there"])
def test_what_is_not_what_the_hub_says_is_deleted(where: str, hub: tuple[Hub, torch.nn.Module], tmp_path: Path) -> None:
    server, _ = hub
    server.spoilt = where == "on its way"
    if not server.spoilt:
        _part(server, tmp_path, b"another")
    with pytest.raises(StageError, match=r"has the SHA-256 \w+, the hub says \w+; it was deleted: fetch it") as caught:
        pretrained.file_here(MODEL)
    assert "\n" not in str(caught.value)
    assert not pretrained.are_here(MODEL)
    server.spoilt = False
    assert pretrained.file_here(MODEL).read_bytes() == server.files["model.safetensors"]


def test_a_full_disk_is_told_with_what_to_do(
    hub: tuple[Hub, torch.nn.Module], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(hub_download, "write_out", full)
    with pytest.raises(StageError, match=rf"there is no room in {tmp_path}: free some, or set HF_HOME to another"):
        pretrained.have_weights(MODEL)
