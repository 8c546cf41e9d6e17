"""`export` with its model card, and `import`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision
from cli.conftest import Result
from safetensors.torch import load_file

from medssl_bench.store.store import Store


def test_an_exported_model_has_a_card_that_says_what_it_is(cli: Callable[..., Result], ran: Path) -> None:
    result = cli("export", ran, "--arm", "frozen", "--labels", "20", "--draw", "1", "-o", "model")
    assert result.status == 0, result.err
    card = Path("model/README.md").read_text("utf-8")
    front = card.split("---")[1]
    assert "library_name: timm" in front
    assert 'license_name: "of the training data: unknown: check before you share"' in front
    record = next(r for r in Store(Path("store")).records() if "frozen" in r.title and "20 labels" in r.title)
    draws = [r for r in Store(Path("store")).records() if r.kind == "evaluate" and r.title.startswith("table")]
    (this,) = [r for r in draws if "frozen" in r.title and "20 labels" in r.title and "draw 1" in r.title]
    assert f"| accuracy | {this.metrics['accuracy']:.3f} |" in card
    assert "| 60 / 18 / 30 | 3 (multi-class) | unknown: check before you share |" in card
    assert record.spec["dataset"]["fingerprint"] in card
    for text in (
        "method: `simclr(",
        "2 epochs, batches of 16, float32",
        "resized_crop",
        "seed 0, draw 1",
        "no medical",
    ):
        assert text in card, text
    assert "Scaled" not in card
    assert load_file("model/head.safetensors")["weight"].shape[0] == 3


def test_the_cards_own_lines_load_the_model(
    cli: Callable[..., Result], ran: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("export", ran, "--arm", "supervised", "--labels", "20", "-o", "model").status == 0
    lines = re.search(r"```python\n(.*?)```", Path("model/README.md").read_text("utf-8"), re.DOTALL)
    assert lines
    monkeypatch.chdir("model")
    scope: dict[str, object] = {}
    exec(lines[1], scope)
    head = load_file("head.safetensors")
    features = scope["encoder"].eval()(torch.zeros(2, 3, 28, 28))  # type: ignore[attr-defined]
    assert torch.nn.functional.linear(features, head["weight"], head["bias"]).shape == (2, 3)


def test_a_scaled_model_of_generated_images_says_so(cli: Callable[..., Result], ran: Path, tmp_path: Path) -> None:
    text = ran.read_text("utf-8").replace('name = "npz"\npath = "squares.npz"', 'name = "phantom_cells"\ntrain = 60')
    (tmp_path / "phantom.toml").write_text(text.replace("draws = [0, 1]", "draws = [0]"), "utf-8")
    assert cli("run", "phantom.toml", "--epochs-scale", "0.5", "--only", "frozen").status == 0
    result = cli("export", "phantom.toml", "--arm", "frozen", "--epochs-scale", "0.5", "-o", "model")
    assert result.status == 0, result.err
    card = Path("model/README.md").read_text("utf-8")
    assert "> Trained on **generated images**" in card
    assert "> **Scaled**: trained for 0.5 of the epochs" in card


def test_an_imported_encoder_is_where_an_arm_starts(cli: Callable[..., Result], tiny: Path, tmp_path: Path) -> None:
    network = torchvision.models.resnet18(num_classes=512)
    torch.save({"state_dict": {f"convnet.{k}": v for k, v in network.state_dict().items()}}, "simclr.ckpt")
    result = cli("import", "simclr.ckpt", "-o", "imported")
    assert result.status == 0, result.err
    assert "imported: resnet18, from the tensors behind 'convnet.'; 2 others left out" in result.out
    lines = result.out[result.out.index("[encoder.imported]") :]
    suite = tiny.read_text("utf-8").replace("[[comparison]]", f"{lines}\n[[comparison]]", 1)
    suite = suite.replace('encoder = "small"\nanalyses', 'encoder = "imported"\nanalyses')
    (tmp_path / "with.toml").write_text(suite, "utf-8")
    assert cli("run", "with.toml", "--only", "untrained encoder").status == 0
    assert torch.equal(load_file("imported/encoder.safetensors")["conv1.weight"], network.conv1.weight)


def test_what_cannot_be_imported(cli: Callable[..., Result], tiny: Path) -> None:
    Path("taken").mkdir()
    torch.save({"state_dict": {}, "hyper_parameters": 5}, "empty.ckpt")
    for arguments, message in (
        (("empty.ckpt", "-o", "out"), "error: empty.ckpt: there is no state dict in it"),
        (("nothing.ckpt", "-o", "out"), "error: nothing.ckpt: there is no such file"),
        (("squares.npz", "-o", "out"), "error: squares.npz: "),
        (("squares.npz", "-o", "taken"), "error: -o taken: this is there already"),
    ):
        result = cli("import", *arguments)
        assert result.status == 2
        assert message in result.err
    assert not Path("out").exists()


def test_the_printed_lines_are_toml_whatever_the_folder_is_called(
    cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(torchvision.models.resnet18().state_dict(), "model.pt")
    for folder in ('a "quoted" \\ folder', str(tmp_path / "absolute")):
        result = cli("import", "model.pt", "-o", folder)
        lines = tomllib.loads(result.out[result.out.index("[encoder.imported]") :])
        assert lines["encoder"]["imported"]["weights_file"] == f"{folder}/encoder.safetensors"
        assert Path(folder, "encoder.safetensors").is_file()
