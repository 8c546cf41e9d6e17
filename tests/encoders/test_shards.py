"""Weights in several files: they are those of one file, and a shard that is missing, or another's, is one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
from hub_server import ask, serving
from safetensors.torch import load_file, save_file

from medssl_bench.encoders.model_files import HubModel
from medssl_bench.encoders.shards import require_weights, shards_of
from medssl_bench.errors import StageError
from medssl_bench.models.checkpoint import read_encoder
from medssl_bench.plugin.parameters import ParameterProblem


def sharded(weights: dict[str, torch.Tensor], folder: Path, kind: str = "model.safetensors") -> Path:
    """Write weights in two files and their index, as transformers does."""
    folder.mkdir(exist_ok=True)
    stem, _, ending = kind.rpartition(".")
    names = list(weights)
    where = {name: f"{stem}-0000{1 + (place % 2)}-of-00002.{ending}" for place, name in enumerate(names)}
    for shard in set(where.values()):
        part = {name: weights[name].contiguous() for name in names if where[name] == shard}
        torch.save(part, folder / shard) if ending == "bin" else save_file(part, folder / shard)
    index = folder / f"{kind}.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": where}), "utf-8")
    return index


@pytest.fixture
def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return timm.create_model("test_resnet", num_classes=0).eval()


def test_they_are_the_same_as_in_one_file(make, images, model, tmp_path: Path) -> None:
    index = sharded(model.state_dict(), tmp_path)
    encoder = make("timm", model="test_resnet", weights_file=str(index))
    with torch.no_grad():
        assert torch.equal(encoder(images()), model((images() - 0.5) / 0.5))


def test_the_content_of_each_shard_is_in_the_key(registry, model, tmp_path: Path) -> None:
    def digest() -> str:
        given = {"name": "timm", "model": "test_resnet", "weights_file": str(index)}
        return str(registry.resolve("encoder", given, Path()).identity()["parameters"]["weights_file"])

    index = sharded(model.state_dict(), tmp_path)
    before = digest()
    other = {name: value + 1 if value.is_floating_point() else value for name, value in model.state_dict().items()}
    text = index.read_text("utf-8")
    sharded(other, tmp_path)
    assert index.read_text("utf-8") == text
    assert digest() != before


@pytest.mark.parametrize("kind", ["model.safetensors", "pytorch_model.bin"])
def test_they_are_imported(kind: str, tmp_path: Path) -> None:
    weights = timm.create_model("resnet18", num_classes=0).state_dict()
    found = read_encoder(sharded(weights, tmp_path, kind))
    assert found.model == "resnet18"
    assert found.left == []
    assert all(torch.equal(value, weights[name]) for name, value in found.weights.items())


def _lost(index: Path) -> None:
    shards_of(index)[1].unlink()


def _swapped(index: Path) -> None:
    first, second = shards_of(index)
    shutil.copy(first, second)


def _cut(index: Path) -> None:
    shard = shards_of(index)[0]
    shard.write_bytes(shard.read_bytes()[:-8])


def _text(text: str) -> Callable[[Path], object]:
    return lambda index: index.write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_lost, "model-00002-of-00002.safetensors, one of its 2 shards, is not beside it; fetch it too"),
        (_swapped, r"model-00002-of-00002.safetensors lacks \d+ of the tensors that this index names \("),
        (_cut, "model-00001-of-00002.safetensors: a damaged safetensors file: its header declares "),
        (_text('{"weight_map": 3}'), "this is no index of shards: it has no weight_map"),
        (_text('{"weight_map": {"a": "../secret"}}'), r"'../secret' is no name of a file beside it"),
        (_text("{"), "this is no JSON"),
        (_text("[]"), "this is no table of JSON"),
    ],
)
def test_what_is_wrong_with_them_is_one_line(spoil, said: str, registry, model, tmp_path: Path) -> None:
    index = sharded(model.state_dict(), tmp_path)
    require_weights(index)
    spoil(index)
    with pytest.raises(ParameterProblem, match=said) as caught:
        registry.resolve("encoder", {"name": "timm", "model": "test_resnet", "weights_file": str(index)}, Path())
    assert str(index) in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("kind", ["model.safetensors", "pytorch_model.bin"])
def test_they_are_fetched_from_a_hub(kind: str, make, images, tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("transformers")
    from transformers import ViTConfig, ViTModel

    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    vit = ViTModel(ViTConfig(**size, image_size=32, patch_size=8)).eval()
    vit.save_pretrained(tmp_path / "one")
    index = sharded(load_file(tmp_path / "one" / "model.safetensors"), tmp_path / "several", kind)
    (index.parent / "config.json").write_bytes((tmp_path / "one" / "config.json").read_bytes())
    files = {file.name: file.read_bytes() for file in index.parent.iterdir()}
    second = "-00002-of-00002.".join(kind.split("."))
    lost = files.pop(second)
    with serving(files) as hub:
        ask(hub.address, tmp_path / "cache", monkeypatch)
        with pytest.raises(StageError, match=r"lab/lacking has no \S+-00002-of-00002") as caught:
            HubModel("transformers", "lab/lacking", None).have_weights()
        assert "\n" not in str(caught.value)
        assert not HubModel("transformers", "lab/lacking", None).has_weights(), "half of them are not all of them"
        files[second] = lost
        encoder = make("transformers", 32, model="lab/model", weights="pretrained", mean=[0.5], std=[0.5])
        with torch.no_grad():
            wanted = vit((images(2, 32) - 0.5) / 0.5).last_hidden_state[:, 0]
            torch.testing.assert_close(encoder(images(2, 32)), wanted)
        number = len(hub.asked)
        assert HubModel("transformers", "lab/model", None).has_weights()
        HubModel("transformers", "lab/model", None).have_weights()
        assert len(hub.asked) == number
    found = HubModel("transformers", "lab/model", None).weights_here()
    assert found is not None
    found.write_bytes(found.read_bytes()[:20])  # copied in part
    with pytest.raises(StageError, match=r"this is no JSON .*; delete it, and it is fetched again"):
        HubModel("transformers", "lab/model", None).has_weights()
