"""Vision transformers under the names that other programs give them: the same features come out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn

from medssl_bench.encoders.builtin import any_timm
from medssl_bench.errors import UserError
from medssl_bench.models.checkpoint import read_encoder
from medssl_bench.models.imported import ImportedEncoder
from medssl_bench.store.tensors import save_tensors

State = dict[str, Tensor]
SIZE = 32


def _vit(**options: Any) -> nn.Module:
    torch.manual_seed(0)
    model = timm.create_model("vit_tiny_patch16_224", img_size=SIZE, patch_size=8, num_classes=0, **options).eval()
    with torch.no_grad():  # they begin so small, or at zero, that leaving them out would go unseen
        for name, value in model.named_parameters():
            if "token" in name or "pos_embed" in name or "gamma" in name:
                value.normal_()
    return model


def _torchvisions() -> nn.Module:
    torch.manual_seed(0)
    model = torchvision.models.VisionTransformer(
        image_size=SIZE, patch_size=8, num_layers=12, num_heads=3, hidden_dim=192, mlp_dim=768
    ).eval()
    with torch.no_grad():
        for value in (model.class_token, model.encoder.pos_embedding, model.encoder.layers[3].mlp[0].bias):
            value.normal_()
    return model


def _imported(content: object, folder: Path) -> ImportedEncoder:
    torch.save(content, folder / "model.pth")
    return read_encoder(folder / "model.pth")


def _features(found: ImportedEncoder, images: Tensor, folder: Path) -> Tensor:
    """Return what an encoder gives whose suite has what `import` prints."""
    save_tensors(found.weights, folder / "encoder.safetensors")
    encoder = any_timm(
        images.shape[-1],
        model=found.model,
        weights_file=folder / "encoder.safetensors",
        input_size=found.input_size,
        options=found.options,
        normalize="half",
    )
    with torch.no_grad():
        return encoder.eval()(images)


def _named(model: nn.Module, prefix: str = "") -> State:
    return {f"{prefix}{name}": value for name, value in model.state_dict().items()}


_HEAD = {"head.mlp.0.weight": torch.zeros(4, 192), "head.last_layer.weight_v": torch.zeros(9, 4)}
_DECODER = {
    "mask_token": torch.zeros(1, 1, 64), "decoder_embed.weight": torch.zeros(64, 192),
    "decoder_pos_embed": torch.zeros(1, 17, 64), "decoder_blocks.0.attn.qkv.weight": torch.zeros(192, 64),
    "decoder_norm.weight": torch.zeros(64), "decoder_pred.weight": torch.zeros(192, 64),
}  # fmt: skip


def _chunked(state: State) -> State:
    """DINOv2 trains its blocks in four chunks, numbered through."""
    found = {}
    for name, value in state.items():
        parts = name.split(".")
        chunk = [str(int(parts[1]) // 3)] if parts[0] == "blocks" else []
        found[".".join([parts[0], *chunk, *parts[1:]])] = value
    return found


_WRITTEN: dict[str, tuple[dict[str, Any], Callable[[nn.Module], object]]] = {
    "timm": ({}, lambda net: {"state_dict": _named(net), "arch": "vit_tiny_patch16_224", "epoch": 3}),
    "DINO": ({}, lambda net: {"teacher": {**_named(net, "backbone."), **_HEAD}, "epoch": 3}),
    "MAE": ({}, lambda net: {"model": {**_named(net), **_DECODER}}),
    "lightly's MAE": ({}, lambda net: {"state_dict": _named(net, "backbone.vit.")}),
    "MoCo v3": (
        {"num_heads": 3},
        lambda net: {"state_dict": {**_named(net, "module.base_encoder."), "module.predictor.0.weight": _HEAD}},
    ),
    "DINOv2": ({"init_values": 1.0}, lambda net: {**_named(net), "mask_token": torch.zeros(1, 192)}),
    "DINOv2 in training": ({"init_values": 1.0}, lambda net: {"teacher": _chunked(_named(net))}),
    "registers": ({"reg_tokens": 4, "no_embed_class": True}, _named),
    "no class token": ({"class_token": False, "global_pool": "avg", "fc_norm": False}, _named),
    "normalised behind the pooling": ({"global_pool": "avg"}, _named),
    "shallow": ({"depth": 5}, _named),
    "no bias": ({"qkv_bias": False, "pre_norm": True}, _named),
}


@pytest.mark.parametrize("program", _WRITTEN)
def test_the_features_are_those_of_the_network_that_was_saved(program: str, tmp_path: Path) -> None:
    options, write = _WRITTEN[program]
    network, images = _vit(**options), torch.rand(3, 3, SIZE, SIZE)
    found = _imported(write(network), tmp_path)
    assert (found.model, found.input_size) == ("vit_tiny_patch16_224", SIZE)
    assert "taken to be 3, as timm's vit_tiny_patch16_224 has" in found.notes[0]
    with torch.no_grad():
        wanted = network((images - 0.5) / 0.5)
    torch.testing.assert_close(_features(found, images, tmp_path), wanted, atol=1e-5, rtol=1e-4)


def test_dinov2_adds_a_position_to_its_class_token_alone(tmp_path: Path) -> None:
    """With registers its file has positions of class token and patches; timm's has those of patches."""
    network, images = _vit(reg_tokens=4, no_embed_class=True, init_values=1.0), torch.rand(3, 3, SIZE, SIZE)
    state = _named(network)
    place = torch.randn(1, 1, 192)
    state["register_tokens"] = state.pop("reg_token")
    state["pos_embed"] = torch.cat([place, state["pos_embed"]], dim=1)
    state["cls_token"] = state["cls_token"] - place
    found = _imported({**state, "mask_token": torch.zeros(1, 192)}, tmp_path)
    with torch.no_grad():
        wanted = network((images - 0.5) / 0.5)
    torch.testing.assert_close(_features(found, images, tmp_path), wanted, atol=1e-4, rtol=1e-4)


def test_torchvisions(tmp_path: Path) -> None:
    network, images = _torchvisions(), torch.rand(3, 3, SIZE, SIZE)
    found = _imported(_named(network, "module."), tmp_path)
    assert found.prefix == "module."
    assert found.left == ["module.heads.head.bias", "module.heads.head.weight"]
    network.heads = nn.Identity()
    with torch.no_grad():
        wanted = network((images - 0.5) / 0.5)
    torch.testing.assert_close(_features(found, images, tmp_path), wanted, atol=1e-5, rtol=1e-4)


def test_one_channel(tmp_path: Path) -> None:
    network, grey = _vit(in_chans=1), torch.rand(3, 1, SIZE, SIZE)
    found = _imported(_named(network), tmp_path)
    with torch.no_grad():
        wanted = network((grey - 0.5) / 0.5)
    features = _features(found, grey.expand(-1, 3, -1, -1), tmp_path)
    torch.testing.assert_close(features, wanted, atol=1e-5, rtol=1e-4)


def test_images_of_another_size_are_resized_to_that_of_the_positions(tmp_path: Path) -> None:
    found = _imported(_named(_vit()), tmp_path)
    assert _features(found, torch.rand(2, 3, 28, 28), tmp_path).shape == (2, 192)


def _changed(state: State, name: str, value: Tensor | None) -> State:
    return {key: (value if key == name else old) for key, old in state.items() if key != name or value is not None}


_REFUSED: dict[str, tuple[Callable[[State], object], str]] = {
    "a tensor short": (lambda s: _changed(s, "blocks.3.mlp.fc2.bias", None), "it lacks blocks.3.mlp.fc2.bias"),
    "one too many": (lambda s: {**s, "blocks.3.gate": torch.zeros(1)}, "it has besides blocks.3.gate"),
    "another part": (lambda s: {**s, "stem.weight": torch.zeros(1)}, "it has besides stem.weight"),
    "no square": (lambda s: _changed(s, "pos_embed", torch.zeros(1, 13, 192)), "are of 13 tokens, which is no square"),
    "no positions": (lambda s: _changed(s, "pos_embed", None), "a vision transformer without pos_embed, whose"),
    "another length": (
        lambda _s: {"patch_embed.proj.weight": torch.zeros(100, 3, 8, 8), "blocks.0.attn.qkv.weight": torch.zeros(1)},
        "tokens have length 100; those of timm have 64, 192, 384",
    ),
    "two": (
        lambda s: {
            **{f"student.{name}": value for name, value in s.items()},
            **{f"teacher.{name}": value + 1 for name, value in s.items()},
        },
        "there are several ViTs in it: 'student.', 'teacher.'; choose one with --prefix, such as 'teacher.'",
    ),
    "not a number": (
        lambda s: _changed(s, "norm.bias", torch.full((192,), torch.nan)),
        "no weights of a vit_tiny_patch16_224: norm.bias has values that are not finite",
    ),
}


@pytest.mark.parametrize("kind", _REFUSED)
def test_what_is_no_vit_of_timm_is_told_in_one_line(kind: str, tmp_path: Path) -> None:
    make, message = _REFUSED[kind]
    with pytest.raises(UserError) as refused:
        _imported(make(_named(_vit())), tmp_path)
    assert message in str(refused.value)
    assert str(refused.value).startswith(f"{tmp_path / 'model.pth'}: ")
    assert "\n" not in str(refused.value)


def test_a_resnet_and_a_vit_in_one_file(tmp_path: Path) -> None:
    both = {"teacher": _named(torchvision.models.resnet18()), "student": _named(_vit())}
    with pytest.raises(UserError, match=r"several networks in it: 'teacher\.', 'student\.'"):
        _imported(both, tmp_path)
    assert read_encoder(tmp_path / "model.pth", "student").model == "vit_tiny_patch16_224"
