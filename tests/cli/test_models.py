"""`export` with its model card, and `import`."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision
from cli.conftest import Result, write_squares
from safetensors.torch import load_file

from medssl_bench.store.record import Record
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
        "* encoder: `timm(",
        'model = "test_resnet"',
        "F. Jiang, *Evaluating SimCLR for Medical Image Classification*",
        f"* key: `{this.key}`",
        "seed 0, draw 1",
        "20 labels; epochs selected with all 18 validation labels.",
        "* labelled validation images: 18",
        "Trained by medssl-bench in the suite",
        "no medical",
    ):
        assert text in card, text
    assert "Scaled" not in card
    assert load_file("model/head.safetensors")["weight"].shape[0] == 3


def test_what_is_picked_of_several_is_said(cli: Callable[..., Result], ran: Path) -> None:
    """A frozen encoder is one for all labels; the head that `export` writes is not."""
    whole = cli("export", ran, "--arm", "frozen", "-o", "model")
    assert "note: picked labels 20 (also: all), draw 0 (also: 1); choose with --labels, --draw" in whole.err
    assert "20 labels" in Path("model/README.md").read_text("utf-8")
    said = cli("export", ran, "--arm", "frozen", "--labels", "20", "--draw", "1", "-o", "other")
    assert "picked" not in said.err
    assert "picked" not in cli("embed", ran, "--arm", "frozen", "-o", "frozen.npz").err
    tuned = cli("embed", ran, "--arm", "supervised", "--labels", "20", "-o", "tuned.npz").err
    assert "note: picked draw 0 (also: 1); choose with --draw" in tuned


def _assert_the_card_predicts(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the card's Python in the exported folder and compare with what the harness kept of the test images."""
    lines = re.search(r"```python\n(.*?)```", Path("model/README.md").read_text("utf-8"), re.DOTALL)
    assert lines
    with np.load("squares.npz") as data, np.load(Store(Path("store")).folder(record.key) / "predictions.npz") as kept:
        grey, wanted = torch.from_numpy(data["test_images"]), torch.from_numpy(kept["y_score"])
    monkeypatch.chdir("model")
    scope: dict[str, Any] = {}
    exec(lines[1], scope)
    images = grey[:, None].expand(-1, 3, -1, -1) / 255
    torch.testing.assert_close(scope["predict"](images), wanted, atol=1e-5, rtol=1e-4)


def _evaluation(title: str) -> Record:
    (record,) = [r for r in Store(Path("store")).records() if r.title == title]
    return record


@pytest.mark.parametrize("arm", ["supervised", "frozen"])
def test_the_cards_own_lines_predict_what_the_harness_predicted(
    cli: Callable[..., Result], ran: Path, monkeypatch: pytest.MonkeyPatch, arm: str
) -> None:
    assert cli("export", ran, "--arm", arm, "--labels", "20", "--draw", "1", "-o", "model").status == 0
    _assert_the_card_predicts(_evaluation(f"table · squares · {arm} · 20 labels · seed 0 · draw 1"), monkeypatch)


def test_the_cards_own_lines_predict_several_labels(
    cli: Callable[..., Result], tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with np.load("squares.npz") as data:
        arrays = dict(data)
    for split in ("train", "val", "test"):
        numbers = np.arange(len(arrays[f"{split}_images"]))
        arrays[f"{split}_labels"] = np.stack([numbers % 2, numbers % 3 == 0], axis=1).astype(np.uint8)
    np.savez("squares.npz", **arrays)
    text = tiny.read_text("utf-8").replace('analyses = ["silhouette"]\n', "")
    tiny.write_text(text.replace('path = "squares.npz"', 'path = "squares.npz"\ntask = "multi-label"'), "utf-8")
    ran = cli("run", tiny, "--only", "frozen", "--draws", "0")
    assert ran.status == 0, ran.err
    assert cli("export", tiny, "--arm", "frozen", "-o", "model").status == 0
    _assert_the_card_predicts(_evaluation("table · squares · frozen · 20 labels · seed 0 · draw 0"), monkeypatch)


def test_the_card_of_a_probe_names_the_data_of_its_head_too(
    cli: Callable[..., Result], tiny: Path, tmp_path: Path
) -> None:
    """Pretrained on one set and probed on another: the licences of both hold."""
    write_squares(tmp_path / "other.npz", seed=3)
    other = '[dataset.other]\nname = "npz"\npath = "other.npz"\nlicence = "CC BY-NC 4.0"\ntitle = "Others"\n\n'
    text = tiny.read_text("utf-8").replace("[dataset.squares]", f"{other}[dataset.squares]")
    text = text.replace('path = "squares.npz"', 'path = "squares.npz"\nclasses = ["dark", "mid", "light"]')
    text = text.replace('pretraining = ["nat"]', 'pretraining = [{ recipe = "nat", on = "other" }]')
    tiny.write_text(text, "utf-8")
    assert cli("run", tiny, "--only", "frozen", "--draws", "0").status == 0
    assert cli("export", tiny, "--arm", "frozen", "-o", "model").status == 0
    card = Path("model/README.md").read_text("utf-8")
    assert 'license_name: "of the training data: CC BY-NC 4.0; unknown: check before you share"' in card
    assert "| pretraining | Others (no source given) | 60 / 18 / 30 | 3 (multi-class) | CC BY-NC 4.0 |" in card
    assert "| linear_probe | squares (no source given) | 60 / 18 / 30 | 3 (multi-class) | unknown: check" in card
    assert "Classes of squares, in the order of their numbers: dark, mid, light." in card
    assert "* evaluator: `linear_probe(" in card
    assert "* labelled images: 20\n" in card


def test_a_scaled_model_of_generated_images_says_so(cli: Callable[..., Result], ran: Path, tmp_path: Path) -> None:
    text = ran.read_text("utf-8").replace('name = "npz"\npath = "squares.npz"', 'name = "phantom_cells"\ntrain = 60')
    (tmp_path / "phantom.toml").write_text(text.replace("draws = [0, 1]", "draws = [0]"), "utf-8")
    assert cli("run", "phantom.toml", "--epochs-scale", "0.5", "--only", "frozen").status == 0
    result = cli("export", "phantom.toml", "--arm", "frozen", "--epochs-scale", "0.5", "-o", "model")
    assert result.status == 0, result.err
    card = Path("model/README.md").read_text("utf-8")
    assert "> Trained on **generated images**" in card
    assert "> **Scaled**: trained for 0.5 of the epochs" in card


@pytest.fixture
def on_imported(cli: Callable[..., Result], tiny: Path, tmp_path: Path) -> torchvision.models.ResNet:
    """Import a network of torchvision's, run a probe on it, and return it."""
    torch.manual_seed(0)
    network = torchvision.models.resnet18(num_classes=512)
    torch.save({"state_dict": {f"convnet.{k}": v for k, v in network.state_dict().items()}}, "simclr.ckpt")
    result = cli("import", "simclr.ckpt", "-o", "imported", "--normalize", "half")
    assert result.status == 0, result.err
    assert "imported: resnet18, from the tensors behind 'convnet.'; 2 others left out" in result.out
    lines = result.out[result.out.index("[encoder.imported]") :]
    suite = tiny.read_text("utf-8").replace("[[comparison]]", f"{lines}\n[[comparison]]", 1)
    suite = suite.replace('encoder = "small"\nanalyses', 'encoder = "imported"\nanalyses')
    suite = suite.replace('  pretraining = ["nat"]\n', "")
    (tmp_path / "with.toml").write_text(suite, "utf-8")
    assert cli("run", "with.toml", "--only", "frozen", "--draws", "0").status == 0
    network.fc = torch.nn.Identity()
    return network.eval()


def test_an_imported_encoder_is_where_an_arm_starts(
    cli: Callable[..., Result], on_imported: torchvision.models.ResNet
) -> None:
    assert cli("embed", "with.toml", "--arm", "frozen", "-o", "features.npz").status == 0
    with np.load("squares.npz") as data, np.load("features.npz") as found:
        images = torch.from_numpy(data["test_images"])[:, None].expand(-1, 3, -1, -1) / 255
        features = torch.from_numpy(found["test_features"])
    with torch.no_grad():
        torch.testing.assert_close(features, on_imported((images - 0.5) / 0.5), atol=1e-4, rtol=1e-3)
    assert "trains no encoder" in cli("embed", "with.toml", "--arm", "untrained encoder", "-o", "x.npz").err
    (made,) = [record.title for record in Store(Path("store")).records() if record.kind == "embed"]
    assert made == "features · squares · weights of encoder.safetensors, no pretraining here"
    assert made in cli("plan", "with.toml", "--only", "frozen", "--stages").out


def test_a_model_on_given_weights_says_so_and_loads_as_a_plain_resnet(
    cli: Callable[..., Result], on_imported: torchvision.models.ResNet
) -> None:
    assert cli("export", "with.toml", "--arm", "frozen", "-o", "model").status == 0
    card = Path("model/README.md").read_text("utf-8")
    digest = hashlib.sha256(Path("imported/encoder.safetensors").read_bytes()).hexdigest()
    assert f"> Starts from **weights of other origin**: the file `encoder.safetensors` (SHA-256 `{digest}`)" in card
    assert "What they were trained on, and under which licence, is not known here." in card
    assert "The encoder was not trained here; a linear layer on top was, by medssl-bench in the suite `tiny`." in card
    assert "of given weights: unknown: check before you share" in card.split("---")[1]
    assert str(Path.cwd()) not in card, "where files stood is nobody's business"
    weights = load_file("model/encoder.safetensors")
    plain = timm.create_model("resnet18", num_classes=0)
    plain.load_state_dict(weights)
    torchvisions = torchvision.models.resnet18()
    torchvisions.fc = torch.nn.Identity()
    torchvisions.load_state_dict(weights)
    images = torch.rand(2, 3, 28, 28)
    with torch.no_grad():
        torch.testing.assert_close(plain.eval()(images), on_imported(images), atol=1e-5, rtol=1e-4)
        assert torch.equal(torchvisions.eval()(images), on_imported(images))


@pytest.mark.parametrize("weights", ["head", "encoder"])
def test_weights_that_are_not_what_was_written_are_not_exported(
    weights: str, cli: Callable[..., Result], ran: Path
) -> None:
    kind, title = ("evaluate", "frozen · 20 labels · seed 0 · draw 1") if weights == "head" else ("pretrain", "nat")
    (record,) = [r for r in Store(Path("store")).records() if r.kind == kind and title in r.title]
    file = Store(Path("store")).folder(record.key) / f"{weights}.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    result = cli("export", ran, "--arm", "frozen", "--labels", "20", "--draw", "1", "-o", "model")
    assert result.status == 2
    (line,) = result.err.splitlines()
    assert f"the SHA-256 of {weights}.safetensors is not that of its record; it is set aside in" in line
    assert not Path("model").exists()
    assert not file.exists()


@pytest.mark.parametrize("verb", ["export", "import"])
def test_a_model_is_replaced_only_where_that_is_asked(cli: Callable[..., Result], ran: Path, verb: str) -> None:
    torch.save(torchvision.models.resnet18().state_dict(), "model.pt")
    command = ("export", ran, "--arm", "frozen", "-o", "model") if verb == "export" else ("import", "model.pt")
    command = (*command, "-o", "model")
    assert cli(*command).status == 0
    Path("model/model.json").write_text("old", "utf-8")
    again = cli(*command)
    assert again.status == 2
    assert "error: -o model: this is there already; give the name of a new folder, or --overwrite" in again.err
    assert Path("model/model.json").read_text("utf-8") == "old"
    assert cli(*command, "--overwrite").status == 0
    assert json.loads(Path("model/model.json").read_text("utf-8"))["model"]
    Path("model/notes.txt").write_text("mine", "utf-8")
    refused = cli(*command, "--overwrite")
    assert refused.status == 2
    assert "something else than a model of export or import; it is left alone" in refused.err
    assert Path("model/notes.txt").read_text("utf-8") == "mine"
    assert not list(Path().glob(".model*"))


def test_a_network_that_has_no_name_here_is_written_as_a_model_of_timm(cli: Callable[..., Result], tiny: Path) -> None:
    network = torchvision.models.resnet101(num_classes=2)
    torch.save({"state_dict": {f"convnet.{k}": v for k, v in network.state_dict().items()}}, "large.ckpt")
    result = cli("import", "large.ckpt", "-o", "large", "--normalize", "imagenet")
    assert result.status == 0, result.err
    lines = tomllib.loads(result.out[result.out.index("[encoder.imported]") :])["encoder"]["imported"]
    assert (lines["name"], lines["model"]) == ("timm", "resnet101")
    text = tiny.read_text("utf-8") + result.out[result.out.index("[encoder.imported]") :]
    tiny.write_text(text, "utf-8")
    assert cli("validate", tiny).status == 0


_SAID = {
    "timm's": ("config.json", {"pretrained_cfg": {"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}}, None),
    "transformers'": ("preprocessor_config.json", {"image_mean": [0.53], "image_std": [0.25]}, None),
    "open_clip's": ("open_clip_config.json", {"preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3}}, "half"),
    "ours": ("model.json", {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}, "imagenet"),
}


@pytest.mark.parametrize("program", _SAID)
def test_a_normalisation_that_is_said_beside_the_file_is_known(
    program: str, cli: Callable[..., Result], tiny: Path
) -> None:
    name, content, called = _SAID[program]
    torch.save(torchvision.models.resnet18().state_dict(), "model.pth")
    Path(name).write_text(json.dumps(content), "utf-8")
    result = cli("import", "model.pth", "-o", "imported")
    assert f"{name} says how images were normalised in its training\n" in result.out
    table = tomllib.loads(result.out[result.out.index("[encoder.imported]") :])["encoder"]["imported"]
    card = json.loads(Path("imported/model.json").read_text("utf-8"))
    if called:
        assert (table["normalize"], "mean" in table) == (called, False)
    else:
        assert (table["mean"], table["std"]) == (card["mean"], card["std"])
        assert "normalize" not in table
    tiny.write_text(tiny.read_text("utf-8") + result.out[result.out.index("[encoder.imported]") :], "utf-8")
    assert cli("validate", tiny).status == 0


@pytest.mark.parametrize(
    "said", ["[]", "no JSON", '{"mean": 1}', '{"mean": [1], "std": [0]}', '{"mean": [1, 1], "std": [1, 1]}']
)
def test_a_normalisation_is_never_guessed(said: str, cli: Callable[..., Result], tiny: Path) -> None:
    torch.save(torchvision.models.resnet18().state_dict(), "model.pth")
    Path("config.json").write_text(said, "utf-8")
    Path("model.json").write_text(said, "utf-8")
    result = cli("import", "model.pth", "-o", "imported")
    lines = result.out[result.out.index("[encoder.imported]") :]
    assert tomllib.loads(lines)["encoder"]["imported"].keys() == {"name", "weights_file"}
    assert '# normalize = "imagenet"' in lines
    assert "mean" not in json.loads(Path("imported/model.json").read_text("utf-8"))
    text = tiny.read_text("utf-8")
    tiny.write_text(text.replace('encoder = "small"\nanalyses', 'encoder = "imported"\nanalyses') + lines, "utf-8")
    assert "encoder.safetensors does not say how images were normalised" in cli("validate", tiny).err
    tiny.write_text(tiny.read_text("utf-8").replace('# normalize = "imagenet"', 'normalize = "imagenet"'), "utf-8")
    assert cli("validate", tiny).status == 0


def test_a_vit_is_imported_with_what_makes_it(cli: Callable[..., Result], tiny: Path) -> None:
    network = timm.create_model("vit_tiny_patch16_224", img_size=32, patch_size=8, depth=2, num_classes=0)
    torch.save({"teacher": {f"backbone.{name}": value for name, value in network.state_dict().items()}}, "dino.pth")
    result = cli("import", "dino.pth", "-o", "imported", "--normalize", "half")
    lines = result.out[result.out.index("[encoder.imported]") :]
    table = tomllib.loads(lines)["encoder"]["imported"]
    assert (table["model"], table["input_size"]) == ("vit_tiny_patch16_224", 32)
    assert table["options"] == {"patch_size": 8, "depth": 2}
    text = tiny.read_text("utf-8")
    tiny.write_text(text.replace('encoder = "small"\nanalyses', 'encoder = "imported"\nanalyses') + lines, "utf-8")
    assert "encoder imported: 192 features from 28 x 28 x 3" in cli("validate", tiny).out


def test_what_is_left_out_is_called_by_its_own_name(cli: Callable[..., Result], tmp_path: Path) -> None:
    state = torchvision.models.resnet18().state_dict()
    both = {f"module.encoder_{which}.{name}": value for which in "qk" for name, value in state.items()}
    torch.save({"state_dict": {**both, "module.queue": torch.zeros(8, 4)}}, tmp_path / "moco.pth")
    result = cli("import", tmp_path / "moco.pth", "-o", tmp_path / "out")
    assert "125 others left out (encoder_k, fc, queue)" in result.out


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
