"""`encoders list` and `encoders fetch`, with a hub on this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from cli.conftest import Result
from hub_server import Hub, ask, published, serving
from safetensors.torch import save

from medssl_bench.models.catalogue import all_encoders, usual_encoders


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(published()[0]) as server:
        ask(server.address, tmp_path / "cache", monkeypatch)
        yield server


def test_the_usual_ones_are_what_timm_has(cli: Callable[..., Result], hub: Hub) -> None:
    usual = usual_encoders()
    assert {(each.name, each.encoder) for each in usual} <= set(all_encoders())
    assert len({each.name for each in usual}) == len(usual)
    result = cli("encoders", "list")
    assert result.status == 0
    rows = result.out.splitlines()
    (dino,) = [row.split() for row in rows if row.startswith("vit_small_patch14_dinov2.lvd142m")]
    assert dino[1:] == ["timm", "22.1", "M", "518", "apache-2.0", "LVD-142M", "no"]
    assert "give a part of a name" in result.out
    assert not hub.asked, "it asks no network"


@pytest.mark.parametrize("columns", [40, 110, 200])
def test_no_name_is_cut_in_two(cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    rows = cli("encoders", "list").out.splitlines()
    assert {each.name for each in usual_encoders()} <= {row.split()[0] for row in rows if row.split()}
    (dino,) = [row for row in rows if row.startswith("vit_base_patch16_clip_224.openai ")]
    assert dino.split()[-1] == "no"
    assert rows[0].split()[-1] == "here"


def test_a_pattern_and_what_is_here(cli: Callable[..., Result], hub: Hub) -> None:
    def listed(*patterns: str) -> dict[str, bool]:
        found = json.loads(cli("encoders", "list", *patterns, "--json").out)
        return {each["name"]: each["is_here"] for each in found}

    before = listed("TEST_vit", "r160")
    assert before
    assert not any(before.values())
    assert all("test_vit" in name and "r160" in name for name in before)
    assert cli("encoders", "fetch", "test_vit.r160_in1k").status == 0
    assert [name for name, here in listed("TEST_vit", "r160").items() if here] == ["test_vit.r160_in1k"]
    assert set(listed("test_?it.r160_in1k")) == {"test_vit.r160_in1k"}
    none = cli("encoders", "list", "vit", "nothing")
    assert none.status == 2
    assert none.err == "error: no public encoder has 'vit' and 'nothing' in its name\n"


def test_a_fetched_file_is_named_with_its_digest(cli: Callable[..., Result], hub: Hub) -> None:
    digest = hashlib.sha256(hub.files["model.safetensors"]).hexdigest()
    result = cli("encoders", "fetch", "hf-hub:lab/model", "test_vit.r160_in1k", "--revision", "v1")
    assert result.status == 0, result.err
    first, second = result.out.splitlines()
    assert first.startswith("hf-hub:lab/model: ")
    assert second.startswith("test_vit.r160_in1k: ")
    for line in (first, second):
        assert line.endswith(f"SHA-256 {digest})")
        file = Path(line.partition(": ")[2].rpartition(" (")[0])
        assert file.read_bytes() == hub.files["model.safetensors"]
    assert {path.split("/")[4] for _, path, _ in hub.asked} == {"v1"}
    number = len(hub.asked)
    assert cli("encoders", "fetch", "hf-hub:lab/model", "--revision", "v1").status == 0
    assert len(hub.asked) == number, "what is here is not fetched again"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("hf-hub:lab/gated", "and set HF_TOKEN to a token of that account"),
        ("hf-hub:lab/absent", "or only for those whose HF_TOKEN is set"),
        ("hf-hub:lab", "a model of a hub is called hf-hub:ORGANISATION/MODEL"),
        ("test_vitt", "timm has no model 'test_vitt' (did you mean 'test_vit'"),
        ("test_vit.in1k", "timm has no weights 'test_vit.in1k'; there are: test_vit.r160_in1k"),
        ("cs3darknet_s", "timm has no pretrained weights for it"),
    ],
)
def test_what_cannot_be_fetched_is_one_line(name: str, said: str, cli: Callable[..., Result], hub: Hub) -> None:
    result = cli("encoders", "fetch", name)
    assert result.status == 2
    assert said in result.err
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert result.out == ""


def test_one_that_fails_keeps_no_other_from_being_fetched(cli: Callable[..., Result], hub: Hub) -> None:
    result = cli("encoders", "fetch", "hf-hub:lab/gated", "hf-hub:lab/model")
    assert result.status == 2
    assert result.out.startswith("hf-hub:lab/model: ")


@pytest.mark.parametrize("library", ["transformers", "open_clip"])
def test_models_of_other_libraries(library: str, cli: Callable[..., Result], hub: Hub) -> None:
    weights = {"transformers": "model.safetensors", "open_clip": "open_clip_model.safetensors"}[library]
    hub.files = {"config.json": b"{}", "open_clip_config.json": b"{}", weights: save({"a": torch.zeros(1)})}
    result = cli("encoders", "fetch", "lab/model", "--with", library)
    assert result.status == 0, result.err
    assert result.out.startswith("lab/model: ")
    number = len(hub.asked)
    assert cli("encoders", "fetch", "lab/model", "--with", library).status == 0
    assert len(hub.asked) == number, "nor is a preprocessing that there is not"
    gated = cli("encoders", "fetch", "lab/gated", "--with", library)
    assert gated.status == 2
    assert "set HF_TOKEN" in gated.err
    assert gated.err.count("\n") == 1


@pytest.mark.filterwarnings("ignore:encoder small. no revision is given")
def test_a_model_of_transformers_from_a_hub_to_a_table(cli: Callable[..., Result], tiny: Path, hub: Hub) -> None:
    transformers = pytest.importorskip("transformers")
    config = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 32, "patch_size": 8}
    transformers.Dinov2Model(transformers.Dinov2Config(**config)).save_pretrained("saved")
    preprocessor = json.dumps({"image_mean": [0.5] * 3, "image_std": [0.25] * 3, "size": {"shortest_edge": 32}})
    hub.files = {file.name: file.read_bytes() for file in Path("saved").iterdir()}
    hub.files = {**hub.files, "preprocessor_config.json": preprocessor.encode()}
    table = 'name = "transformers"\nmodel = "lab/model"\nweights = "pretrained"\ntrained_on = ["squares"]'
    text = tiny.read_text("utf-8").replace('name = "timm"\nmodel = "test_resnet"', table)
    tiny.write_text(text.replace("draws = [0, 1]", "draws = [0]").replace('  pretraining = ["nat"]\n', ""), "utf-8")
    assert "its configuration is not here, so its size is not checked: run downloads it" in cli("validate", tiny).out
    assert not hub.asked
    assert cli("encoders", "fetch", tiny).status == 0
    number = len(hub.asked)
    valid = cli("validate", tiny).out
    assert "encoder small: 32 features from 28 x 28 x 3" in valid
    assert f"write revision = a commit of it, now {'a' * 40}" in valid
    done = cli("run", tiny, "--only", "frozen")
    assert done.status == 0, done.err
    assert "its encoder was trained on squares" in done.out
    assert len(hub.asked) == number


def test_no_network(cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("http://127.0.0.1:1", tmp_path, monkeypatch)
    result = cli("encoders", "fetch", "test_vit.r160_in1k")
    assert result.status == 2
    assert "http://127.0.0.1:1 does not answer" in result.err
    assert result.err.count("\n") == 1


def test_a_suite_says_what_it_needs(cli: Callable[..., Result], tiny: Path, hub: Hub) -> None:
    nothing = cli("encoders", "fetch", tiny)
    assert nothing.status == 2
    assert nothing.err == "error: tiny.toml: none of its encoders has weights that are downloaded\n"
    arms = [
        f'\n  [[comparison.arm]]\n  name = "{place}"\n  evaluator = "knn"\n  encoder = {{ {encoder} }}\n'
        for place, encoder in enumerate(
            (
                'name = "timm", model = "hf-hub:lab/model", weights = "pretrained", input_size = 160',
                'name = "timm", model = "test_vit", weights = "pretrained", input_size = 160',
                'name = "vit_tiny", weights = "pretrained"',
            )
        )
    ]
    tiny.write_text(tiny.read_text("utf-8") + "".join(arms), "utf-8")
    fetched = cli("encoders", "fetch", tiny)
    assert fetched.status == 0, fetched.err
    assert [line.partition(": ")[0] for line in fetched.out.splitlines()] == [
        "hf-hub:lab/model", "test_vit", "vit_tiny_patch16_224"
    ]  # fmt: skip
    assert cli("validate", tiny).out.count("are not here") == 0
