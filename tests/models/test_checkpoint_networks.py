"""ResNets under the names that other programs give them: the same features come out, or one line says why not."""

from __future__ import annotations

import argparse
import collections
import gzip
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import omegaconf
import pytest
import torch
import torchvision
from lightly.models import ResNetGenerator
from torch import Tensor, nn

from medssl_bench.encoders.builtin import any_timm
from medssl_bench.encoders.timm_encoder import TimmEncoder, use_small_stem
from medssl_bench.errors import UserError
from medssl_bench.models.checkpoint import read_encoder
from medssl_bench.models.imported import ImportedEncoder
from medssl_bench.store.tensors import save_tensors

State = dict[str, Tensor]


def _network(depth: int = 18, seed: int = 0, **options: Any) -> nn.Module:
    """Return a ResNet of torchvision's whose batch statistics are not those that it begins with."""
    torch.manual_seed(seed)
    network = getattr(torchvision.models, f"resnet{depth}")(**options)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network


@pytest.fixture(scope="module")
def network() -> nn.Module:
    return _network()


def _state(network: nn.Module, prefix: str = "", *, without: str = "\0") -> State:
    return {f"{prefix}{name}": value for name, value in network.state_dict().items() if not name.startswith(without)}


def _features(network: nn.Module, images: Tensor) -> Tensor:
    """Return what a network gives before its classifier, on images normalised with mean 0.5 and deviation 0.5."""
    body = nn.Sequential(*list(network.children())[:-1])
    with torch.no_grad():
        return body.eval()((images - 0.5) / 0.5).flatten(1)


def _encoded(found: ImportedEncoder, images: Tensor, folder: Path) -> Tensor:
    """Return the features of an encoder that starts from imported weights."""
    save_tensors(found.weights, folder / "encoder.safetensors")
    encoder = TimmEncoder(found.model, images.shape[-1], normalize="half")
    if found.stem == "small":
        use_small_stem(encoder)
    encoder.load_file(folder / "encoder.safetensors")
    with torch.no_grad():
        return encoder.eval()(images)


def _imported(content: object, folder: Path, prefix: str | None = None) -> ImportedEncoder:
    torch.save(content, folder / "model.pth")
    return read_encoder(folder / "model.pth", prefix)


_HEADS = {"projection_head.0.weight": torch.zeros(8, 512), "prototypes.weight": torch.zeros(30, 8)}

_WRITTEN: dict[str, Callable[[nn.Module], object]] = {
    "lightly": lambda net: {"state_dict": {**_state(nn.Sequential(*list(net.children())[:-1]), "backbone."), **_HEADS}},
    "fastai": lambda net: {
        "model": {**_state(nn.Sequential(*list(net.children())[:-2]), "0."), "1.8.weight": torch.zeros(2, 512)},
        "opt": {},
    },
    "a sequence with its classifier": lambda net: _state(nn.Sequential(*net.children())),
    "SwAV": lambda net: {f"module.{name}": value for name, value in {**_state(net, without="fc"), **_HEADS}.items()},
    "MoCo": lambda net: {
        "arch": "resnet18",
        "state_dict": {**_state(net, "module.encoder_q."), "module.queue": torch.zeros(128, 64)},
        "optimizer": {"state": {0: {"momentum_buffer": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]},
    },
    "VISSL": lambda net: {
        "classy_state_dict": {
            "base_model": {
                "model": {
                    "trunk": _state(net, "_feature_blocks.", without="fc"),
                    "heads": {"0.clf.0.weight": torch.zeros(9, 512)},
                }
            }
        }
    },
    "Lightning, nested": lambda net: {"state_dict": _state(net, "model.encoder.backbone.", without="fc")},
    "module.module.": lambda net: _state(net, "module.module."),
    "deep in tables": lambda net: {"checkpoint": {"state_dict": {"model": {"backbone": _state(net)}}}},
    "in a list": lambda net: [{"epoch": 3}, _state(net)],
    "torch.compile": lambda net: _state(net, "_orig_mod."),
    "DeepSpeed": lambda net: {"module": _state(net, "backbone."), "ds_config": {}, "global_steps": 9},
    "no counters": lambda net: {name: value for name, value in _state(net).items() if "num_batches" not in name},
    "doubles": lambda net: {name: value.double() for name, value in _state(net).items()},
    "parameters": lambda net: {name: nn.Parameter(v, requires_grad=False) for name, v in _state(net).items()},
    "numbers of NumPy": lambda net: {"best": np.float64(0.9), "seeds": np.arange(3), "state_dict": _state(net)},
    "containers": lambda net: {
        "state_dict": _state(net),
        "optimizer": {"state": collections.defaultdict(dict), "last": collections.deque([1, 2], maxlen=3)},
        "args": argparse.Namespace(arch="resnet18", out=Path("x")),
        "device": torch.device("cpu"),
    },
    "an MLP for a classifier": lambda net: {
        "arch": "resnet18",
        "state_dict": {
            **_state(net, "module.encoder.", without="fc"),
            **{f"module.encoder.fc.{place}.weight": torch.zeros(512, 512) for place in (0, 2)},
            "module.predictor.0.weight": torch.zeros(8, 8),
        },
    },
    "dropout before the classifier": lambda net: {**_state(net, without="fc"), "fc.1.weight": torch.zeros(7, 512)},
    "a projector beside the encoder": lambda net: {
        **_state(net, "module.encoder.", without="fc"),
        "module.projector.0.weight": torch.zeros(512, 512),
    },
    "under a name of its own": lambda net: {
        "optimizer_state": {},
        "simclr_state": _state(net, "backbone."),
        "epoch": 1,
    },
    "settings of OmegaConf": lambda net: {
        "state_dict": _state(net, "backbone."),
        "hyper_parameters": omegaconf.OmegaConf.create({"lr": 0.1}),
    },
    "devices, types and sizes": lambda net: {
        "state_dict": _state(net),
        "device": torch.device("cpu"),
        "dtype": torch.float32,
        "size": torch.Size([1]),
    },
    "a classifier of another name": lambda net: {**_state(net, without="fc"), "dense.weight": torch.zeros(7, 512)},
    "twice the same": lambda net: {"state_dict": _state(net), "state_dict_ema": _state(net)},
}


@pytest.mark.parametrize("program", _WRITTEN)
def test_the_features_are_those_of_the_network_that_was_saved(program: str, network: nn.Module, tmp_path: Path) -> None:
    images = torch.rand(4, 3, 28, 28)
    found = _imported(_WRITTEN[program](network), tmp_path)
    assert (found.model, found.stem) == ("resnet18", "imagenet")
    torch.testing.assert_close(_encoded(found, images, tmp_path), _features(network, images), atol=1e-5, rtol=1e-4)


def test_bottlenecks_in_a_sequence(tmp_path: Path) -> None:
    network, images = _network(50), torch.rand(2, 3, 28, 28)
    found = _imported(_state(nn.Sequential(*list(network.children())[:-1]), "backbone."), tmp_path)
    assert (found.model, found.prefix) == ("resnet50", "backbone.")
    torch.testing.assert_close(_encoded(found, images, tmp_path), _features(network, images), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("form", ["lightly's", "MedMNIST's"])
def test_a_resnet_for_cifar_has_the_small_stem(form: str, tmp_path: Path) -> None:
    """lightly's own: a 3x3 convolution, no pooling, ``shortcut`` and ``linear``."""
    torch.manual_seed(0)
    network, images = ResNetGenerator("resnet-18"), torch.rand(4, 3, 32, 32)
    found = _imported(_state(network) if form == "lightly's" else {"net": _state(network)}, tmp_path)
    assert (found.model, found.stem) == ("resnet18", "small")
    assert "taken to have stride 1 and no pooling behind it" in found.notes[0]
    network.linear = nn.Identity()
    with torch.no_grad():
        wanted = network.eval()((images - 0.5) / 0.5)
    torch.testing.assert_close(_encoded(found, images, tmp_path), wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("pooling", ["an identity", "none"])
def test_a_small_stem_in_a_sequence(pooling: str, tmp_path: Path) -> None:
    network, images = _network(), torch.rand(4, 3, 28, 28)
    network.conv1, network.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity()
    parts = [part for name, part in network.named_children() if pooling == "an identity" or name != "maxpool"]
    found = _imported({"state_dict": _state(nn.Sequential(*parts[:-1]), "backbone.")}, tmp_path)
    assert ("no pooling" in found.notes[0]) == (pooling == "an identity"), "the numbers tell where there is none"
    torch.testing.assert_close(_encoded(found, images, tmp_path), _features(network, images), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("lost", ["ReLU and no pooling", "pooling"])
def test_a_sequence_that_has_lost_functions_is_another_network(lost: str, tmp_path: Path) -> None:
    """lightly's examples for CIFAR put children of a network in a row that calls ReLU as a function."""
    parts = list((ResNetGenerator("resnet-18") if lost != "pooling" else _network()).children())
    if lost == "pooling":
        del parts[3]
    with pytest.raises(UserError, match=f"in its nn.Sequential there is no {lost} between"):
        _imported({"state_dict": _state(nn.Sequential(*parts[:-1]), "backbone.")}, tmp_path)


def test_a_grey_stem_gives_the_features_of_grey_images(tmp_path: Path) -> None:
    network = _network()
    network.conv1 = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    grey = torch.rand(4, 1, 28, 28)
    found = _imported(_state(network), tmp_path)
    assert "takes one channel" in found.notes[0]
    encoded = _encoded(found, grey.expand(-1, 3, -1, -1), tmp_path)
    torch.testing.assert_close(encoded, _features(network, grey), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_numbers_of_16_bits_keep_their_values(dtype: torch.dtype, network: nn.Module, tmp_path: Path) -> None:
    state = {name: v.to(dtype) if v.is_floating_point() else v for name, v in _state(network).items()}
    weights = _imported(state, tmp_path).weights
    assert all(torch.equal(value, state[name].float()) for name, value in weights.items() if value.is_floating_point())


def test_safetensors_with_a_classifier_and_metadata(network: nn.Module, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file(_state(network), tmp_path / "weights.bin", metadata={"format": "pt"})  # whatever the file is called
    found = read_encoder(tmp_path / "weights.bin")
    assert found.left == ["fc.bias", "fc.weight"]
    assert torch.equal(found.weights["conv1.weight"], network.state_dict()["conv1.weight"])


_PAIRS = {
    "module.encoder_q. module.encoder_k.": "'module.encoder_q.', which MoCo",
    "student.module.backbone. teacher.backbone.": "'teacher.backbone.', which DINO",
    "backbone. momentum_backbone.": "",
    "target_encoder. online_encoder.": "'online_encoder.', which BYOL",
    "module.base_encoder. module.momentum_encoder.": "'module.base_encoder.', which MoCo v3",
}


@pytest.mark.parametrize("prefixes", _PAIRS)
def test_of_two_networks_that_differ_one_must_be_chosen(prefixes: str, tmp_path: Path) -> None:
    first, second = prefixes.split()
    one, other = _network(seed=0), _network(seed=1)
    content = {"state_dict": {**_state(one, first), **_state(other, second)}}
    with pytest.raises(UserError, match="there are several ResNets in it") as refused:
        _imported(content, tmp_path)
    assert f"{first!r}, {second!r}; choose one with --prefix" in str(refused.value)
    assert _PAIRS[prefixes] in str(refused.value)
    chosen = _imported(content, tmp_path, second)
    assert torch.equal(chosen.weights["conv1.weight"], other.state_dict()["conv1.weight"])
    assert f"{first}conv1.weight" in chosen.left


def test_the_average_of_weights_is_not_taken_without_a_word(tmp_path: Path) -> None:
    content = {"state_dict": _state(_network(seed=0)), "state_dict_ema": _state(_network(seed=1))}
    with pytest.raises(UserError, match=r"several ResNets in it: '', 'state_dict_ema\.'; choose one with --prefix"):
        _imported(content, tmp_path)
    assert _imported(content, tmp_path, "").prefix == ""


def test_of_networks_with_the_same_weights_it_is_said_that_there_are_several(
    network: nn.Module, tmp_path: Path
) -> None:
    found = _imported({"student": _state(network), "teacher": _state(network)}, tmp_path)
    assert found.prefix == "student."
    assert found.notes == ("2 networks in it have the same weights: 'student.', 'teacher.'",)


def _changed(state: State, name: str, change: Callable[[Tensor], Tensor]) -> State:
    return {**state, name: change(state[name])}


_REFUSED: dict[str, tuple[Callable[[State], object], str]] = {
    "sparse": (lambda s: _changed(s, "conv1.weight", lambda v: v.to_sparse()), "conv1.weight has a tensor that is not"),
    "compressed": (lambda s: _changed(s, "fc.weight", lambda v: v.to_sparse_csr()), ""),
    "meta": (lambda s: _changed(s, "bn1.weight", lambda v: v.to("meta")), "bn1.weight has a shape without numbers"),
    "quantised": (
        lambda s: _changed(s, "layer1.0.conv1.weight", lambda v: torch.quantize_per_tensor(v, 0.1, 0, torch.qint8)),
        "layer1.0.conv1.weight has quantised numbers",
    ),
    "integers": (lambda s: _changed(s, "bn1.bias", lambda v: v.to(torch.int8)), "bn1.bias has type torch.int8"),
    "complex": (lambda s: _changed(s, "bn1.bias", lambda v: v + 1j), "bn1.bias has type torch.complex64"),
    "too large for 32 bits": (
        lambda s: _changed(s, "bn1.bias", lambda v: v.double() + 1e300),
        "bn1.bias has values that are not finite",
    ),
    "two channels": (
        lambda s: _changed(s, "conv1.weight", lambda v: v[:, :2].clone()),
        "conv1.weight, has shape (64, 2, 7, 7); 7x7 or 3x3",
    ),
    "a stem of 5x5": (lambda s: _changed(s, "conv1.weight", lambda v: v[..., :5, :5].clone()), "(64, 3, 5, 5)"),
    "a deep stem": (
        lambda s: {("conv1.0.weight" if name == "conv1.weight" else name): value for name, value in s.items()},
        "it lacks conv1.weight; it has besides conv1.0.weight",
    ),
    "attention beside it": (lambda s: {**s, "cbam.weight": torch.zeros(1)}, "it has besides cbam.weight"),
    "attention in a block": (lambda s: {**s, "layer1.0.se.weight": torch.zeros(1)}, "besides layer1.0.se.weight"),
    "a fifth stage": (lambda s: {**s, "layer5.0.conv1.weight": torch.zeros(1)}, "besides layer5.0.conv1.weight"),
    "a vision transformer": (
        lambda _s: {"blocks.0.norm1.weight": torch.zeros(2), "cls_token": torch.zeros(1, 1, 2)},
        "no ViT in it, but what looks like a vision transformer under other names than timm's",
    ),
    "a ViT of transformers": (
        lambda _s: {"vit.embeddings.patch_embeddings.projection.weight": torch.zeros(2)},
        "looks like a ViT of transformers, which the encoder 'transformers' takes (config_file, weights_file); its",
    ),
    "a CLIP": (lambda _s: {"visual.class_embedding": torch.zeros(2)}, "what looks like a CLIP of OpenAI or open_clip"),
    "a Swin": (
        lambda _s: {"patch_embed.proj.weight": torch.zeros(2), "x.relative_position_bias_table": torch.zeros(2)},
        "what looks like a Swin Transformer, which the encoder 'timm' takes as weights_file where names are timm's",
    ),
    "a DenseNet": (lambda _s: {"features.denseblock1.denselayer1.norm1.weight": torch.zeros(2)}, "like a DenseNet"),
    "weights of 3D images": (
        lambda s: {name: v[..., None] if v.ndim == 4 else v for name, v in s.items()},
        "this is not one of torchvision's ResNets",
    ),
}


@pytest.mark.filterwarnings("ignore:Sparse CSR:UserWarning", "ignore:torch.quantize_per:UserWarning")
@pytest.mark.parametrize("kind", _REFUSED)
def test_what_cannot_be_the_weights_of_a_resnet_is_told_in_one_line(
    kind: str, network: nn.Module, tmp_path: Path
) -> None:
    make, message = _REFUSED[kind]
    if not message:  # of a part that is left out
        assert _imported(make(_state(network)), tmp_path).left == ["fc.bias", "fc.weight"]
        return
    with pytest.raises(UserError) as refused:
        _imported(make(_state(network)), tmp_path)
    assert message in str(refused.value)
    assert str(refused.value).startswith(f"{tmp_path / 'model.pth'}: ")
    assert "\n" not in str(refused.value)


def test_a_network_that_is_wide_is_no_other(tmp_path: Path) -> None:
    found = _imported(_state(torchvision.models.resnext50_32x4d()), tmp_path)
    assert found.model == "resnext50_32x4d"
    encoder = any_timm(28, model=found.model)
    assert encoder.backbone.load_state_dict(found.weights)


def _tar(file: Path) -> None:
    with tarfile.open(file, "w") as opened:
        opened.add(__file__, "x")


def _zip(file: Path, *names: str) -> None:
    with zipfile.ZipFile(file, "w") as opened:
        for name in names:
            opened.writestr(name, "x")


_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pipe": (os.mkfifo, "a pipe or a device, not a file"),
    "a device": (lambda file: file.symlink_to("/dev/zero"), "a pipe or a device, not a file"),
    "a folder": (lambda file: file.mkdir(), "this is a folder"),
    "a broken link": (lambda file: file.symlink_to("nowhere"), "there is no such file"),
    "a page": (lambda file: file.write_text("\n<!DOCTYPE html><html>404</html>"), "a web page: the download went"),
    "Git LFS": (lambda file: file.write_text("version https://git-lfs.github.com/spec/v1\n"), "a pointer of Git LFS"),
    "gzip": (lambda file: file.write_bytes(gzip.compress(b"x")), "compressed (gzip); unpack it first"),
    "tar": (_tar, "an archive (tar); unpack it first"),
    "a zip of others": (lambda file: _zip(file, "a.txt", "b.txt"), "a zip of other files (a.txt, b.txt)"),
    "npz": (lambda file: _zip(file, "a.npy"), "arrays of NumPy (npz)"),
    "keras": (lambda file: _zip(file, "config.json", "model.weights.h5"), "a model of Keras"),
    "h5": (lambda file: file.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(99)), "an HDF5 file, as Keras writes"),
    "ONNX": (lambda file: file.write_bytes(b"\x08\x08\x12\x07pytorch" + bytes(99)), "an ONNX graph"),
    "an index": (lambda file: file.write_text('{"weight_map": {}}'), "JSON; name the file with the weights"),
    "TorchScript": (
        lambda file: torch.jit.script(nn.Linear(2, 2)).save(str(file)),
        "a program of TorchScript (torch.jit), which would be run",
    ),
    "a whole network": (lambda file: torch.save(_network(), file), "a whole network, pickled (torchvision.models.res"),
    "a header that lies": (lambda file: file.write_bytes((9).to_bytes(8, "little") + b'{"a": 1}}'), "header cannot"),
    "one value in another": (
        lambda file: torch.save([[[[[[list(range(9))] * 9] * 9] * 9] * 9] * 9] * 9, file),
        "it holds more than 200,000 values",
    ),
}


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning", "ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize("kind", _FILES)
def test_a_file_of_another_kind_is_told_in_one_line(kind: str, tmp_path: Path) -> None:
    make, message = _FILES[kind]
    file = tmp_path / "weights.pth"
    make(file)
    with pytest.raises(UserError) as refused:
        read_encoder(file)
    assert message in str(refused.value)
    assert str(refused.value).startswith(f"{file}: ")
    assert "\n" not in str(refused.value)


class _Runs:
    """Asks the reader to call a function."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


@pytest.mark.parametrize("function", [os.mkdir, Path.mkdir, exec, np.savetxt], ids=lambda f: f.__name__)
def test_nothing_in_the_file_is_run(
    function: Callable[..., object], network: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names of NumPy are read past, so that its numbers may stand beside weights: what they name is not called."""
    monkeypatch.chdir(tmp_path)
    arguments = {exec: ("open('ran', 'w')",), np.savetxt: ("ran", [1])}.get(function, ("ran",))
    torch.save({"state_dict": _state(network), "more": _Runs(function, *arguments)}, "model.pth")
    if function is np.savetxt:
        assert read_encoder(Path("model.pth")).model == "resnet18"
    else:
        with pytest.raises(UserError, match="could run code, so it is not read"):
            read_encoder(Path("model.pth"))
    assert not Path("ran").exists()
