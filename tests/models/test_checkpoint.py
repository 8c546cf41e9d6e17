"""Encoders out of checkpoints that Lightning and torch wrote, and checkpoints that must not be read."""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.errors import UserError
from medssl_bench.models.checkpoint import read_encoder
from medssl_bench.store.tensors import save_tensors


def _network() -> nn.Module:
    torch.manual_seed(0)
    network = torchvision.models.resnet18(num_classes=512)
    network.fc = nn.Sequential(network.fc, nn.ReLU(), nn.Linear(512, 128))
    return network


@pytest.fixture(scope="module")
def lightning(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nn.Module]:
    """A checkpoint of a module like the thesis' public code, trained a step by Lightning itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pytorch_lightning as pl

        class SimCLR(pl.LightningModule):
            def __init__(self, lr: float = 5e-4, temperature: float = 0.07, max_epochs: int = 201) -> None:
                super().__init__()
                self.save_hyperparameters()
                self.convnet = _network()

            def training_step(self, batch, _index):
                return self.convnet(batch[0]).square().mean()

            def configure_optimizers(self):
                optimizer = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)
                return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 201, 1e-5)]

        data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.rand(8, 3, 28, 28)), 4)
        module = SimCLR()
        trainer = pl.Trainer(
            max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(module, data)
        file = tmp_path_factory.mktemp("lightning") / "simclr.ckpt"
        trainer.save_checkpoint(file)
    return file, module.convnet.eval()


def test_a_lightning_checkpoint_gives_the_features_that_torchvisions_network_gives(
    lightning: tuple[Path, nn.Module], tmp_path: Path
) -> None:
    file, network = lightning
    found = read_encoder(file)
    assert (found.model, found.prefix) == ("resnet18", "convnet.")
    assert found.hyper_parameters == {"lr": 5e-4, "temperature": 0.07, "max_epochs": 201}
    assert found.left == [f"convnet.fc.{place}.{kind}" for place in (0, 2) for kind in ("bias", "weight")]
    save_tensors(found.weights, tmp_path / "encoder.safetensors")
    encoder = TimmEncoder(found.model, 28, normalize="half", options={"zero_init_last": False})
    encoder.load_file(tmp_path / "encoder.safetensors")
    images = torch.rand(4, 3, 28, 28)
    network.fc = nn.Identity()
    with torch.no_grad():
        expected = network((images - 0.5) / 0.5)  # as the thesis' code normalises
        torch.testing.assert_close(encoder.eval()(images), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("prefix", ["", "encoder.", "module.backbone."])
@pytest.mark.parametrize("depth", [18, 50])
def test_a_plain_state_dict(prefix: str, depth: int, tmp_path: Path) -> None:
    state = getattr(torchvision.models, f"resnet{depth}")(num_classes=3).state_dict()
    torch.save({f"{prefix}{name}": value for name, value in state.items()}, tmp_path / "model.pt")
    found = read_encoder(tmp_path / "model.pt")
    assert (found.model, found.prefix) == (f"resnet{depth}", prefix)
    assert torch.equal(found.weights["conv1.weight"], state["conv1.weight"])
    assert "fc.weight" not in found.weights


def test_one_of_several_encoders_is_chosen_by_its_prefix(tmp_path: Path) -> None:
    state = _network().state_dict()
    both = {
        f"{name}.{key}": value + (name == "teacher") for name in ("student", "teacher") for key, value in state.items()
    }
    torch.save(both, tmp_path / "two.pt")
    with pytest.raises(UserError, match=r"several ResNets in it: 'student\.', 'teacher\.'; choose one with --prefix"):
        read_encoder(tmp_path / "two.pt")
    assert read_encoder(tmp_path / "two.pt", "teacher").prefix == "teacher."
    with pytest.raises(UserError, match="there is no ResNet and no ViT with this prefix; there are: 'student"):
        read_encoder(tmp_path / "two.pt", "pupil")


def test_hyper_parameters_in_a_namespace_are_harmless(tmp_path: Path) -> None:
    content = {"state_dict": _network().state_dict(), "hyper_parameters": argparse.Namespace(lr=0.1, odd=[1])}
    torch.save(content, tmp_path / "model.ckpt")
    assert read_encoder(tmp_path / "model.ckpt").hyper_parameters == {"lr": 0.1}


def test_lightnings_own_dictionary_and_paths_are_harmless(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lightning_fabric.utilities.data import AttributeDict
    settings = AttributeDict(lr=0.1, data=Path("data/blood"), nested=AttributeDict(a=1))
    torch.save({"state_dict": _network().state_dict(), "hyper_parameters": settings}, tmp_path / "model.ckpt")
    assert read_encoder(tmp_path / "model.ckpt").hyper_parameters == {"lr": 0.1, "data": "data/blood"}


@pytest.mark.parametrize("odd", [5, None, [1, 2], {"lr": float("nan")}, {"lr": torch.ones(1)}], ids=str)
def test_hyper_parameters_that_say_nothing_are_left_out(odd: object, tmp_path: Path) -> None:
    torch.save({"state_dict": _network().state_dict(), "hyper_parameters": odd}, tmp_path / "model.ckpt")
    assert read_encoder(tmp_path / "model.ckpt").hyper_parameters == {}


def test_a_state_dict_under_another_key(tmp_path: Path) -> None:
    torch.save({"model": _network().state_dict(), "epoch": 3}, tmp_path / "model.pth")
    assert read_encoder(tmp_path / "model.pth").prefix == "model."


def test_half_precision_becomes_single(tmp_path: Path) -> None:
    state = _network().half().state_dict()
    torch.save(state, tmp_path / "model.pt")
    weights = read_encoder(tmp_path / "model.pt").weights
    assert torch.equal(weights["conv1.weight"], state["conv1.weight"].float())
    assert weights["bn1.num_batches_tracked"].dtype == torch.int64


@pytest.mark.parametrize("version", ["2.4.0", "2.9.1+cu128"])
def test_a_torch_that_a_checkpoint_can_make_run_code_reads_none(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(_network().state_dict(), tmp_path / "model.pt")
    monkeypatch.setattr(torch, "__version__", version)
    with pytest.raises(UserError, match=r"safely by PyTorch 2\.10 or newer, here is 2\.[49]"):
        read_encoder(tmp_path / "model.pt")


class _Evil:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.mark),)


def test_a_checkpoint_that_would_run_code_is_refused_and_does_not_run_it(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    torch.save({"state_dict": _network().state_dict(), "extra": _Evil(mark)}, tmp_path / "evil.ckpt")
    with pytest.raises(UserError, match="could run code, so it is not read") as refused:
        read_encoder(tmp_path / "evil.ckpt")
    assert "\n" not in str(refused.value)
    assert not mark.exists()


def _without(word: str) -> dict[str, torch.Tensor]:
    return {name: value for name, value in _network().state_dict().items() if word not in name}


def _with(**changed: torch.Tensor) -> dict[str, torch.Tensor]:
    return {**_network().state_dict(), **{name.replace("__", "."): value for name, value in changed.items()}}


_SPOILT: dict[str, Callable[[], object]] = {
    "no tensors": lambda: {"state_dict": {"a": 1}},
    "a list": lambda: [1, 2],
    "another network": lambda: nn.Linear(2, 2).state_dict(),
    "a tensor short": lambda: _without("layer4.1.bn2.weight"),
    "more than a ResNet": lambda: _with(layer5__weight=torch.zeros(2)),
    "not a number": lambda: _with(layer1__0__bn1__bias=torch.full((64,), torch.nan)),
    "integers": lambda: _with(conv1__weight=torch.zeros(64, 3, 7, 7, dtype=torch.int64)),
    "a stem of another size": lambda: _with(conv1__weight=torch.zeros(64, 3, 5, 5)),
}


def _spoilt(kind: str, file: Path) -> None:
    if kind == "truncated":
        torch.save(_network().state_dict(), file)
        file.write_bytes(file.read_bytes()[:10_000])
    elif kind == "text":
        file.write_text("not a checkpoint", "utf-8")
    elif kind == "empty":
        file.write_bytes(b"")
    elif kind in _SPOILT:
        torch.save(_SPOILT[kind](), file)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("truncated", "damaged"),
        ("text", "this is not a checkpoint of PyTorch, or a damaged one|could run code"),
        ("empty", "this is not a checkpoint of PyTorch, or a damaged one"),
        ("no tensors", "there is no state dict in it"),
        ("a list", "there is no state dict in it"),
        ("another network", "there is no ResNet and no ViT in it"),
        ("a tensor short", r"compared with resnet18: it lacks layer4\.1\.bn2\.weight$"),
        ("more than a ResNet", r"compared with resnet18: it has besides layer5\.weight$"),
        ("a stem of another size", r"conv1\.weight, has shape \(64, 3, 5, 5\); 7x7 or 3x3 of 3 channels, or of 1"),
        ("not a number", r"no weights of a resnet18: layer1\.0\.bn1\.bias has values that are not finite"),
        ("integers", r"no weights of a resnet18: conv1\.weight has type torch\.int64, not floats"),
        ("missing", "there is no such file"),
    ],
)
def test_what_is_no_checkpoint_of_a_resnet_is_told_in_one_line(kind: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "model.ckpt"
    _spoilt(kind, file)
    with pytest.raises(UserError, match=message) as refused:
        read_encoder(file)
    assert str(refused.value).startswith(str(file))
    assert "\n" not in str(refused.value)
