"""Models of a hub by name, from a cache that the test fills: no network is asked."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from medssl_bench.encoders import pretrained
from medssl_bench.encoders.hub_names import checked_hub_name
from medssl_bench.encoders.rehearsal import rehearse
from medssl_bench.errors import EncoderWarning, StageError
from medssl_bench.suite.initial_weights import is_untrained, named

MODEL = "hf-hub:lab/pathology"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a network that fails the test."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)

    def refused(*_address: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    return tmp_path


def published(
    cache: Path, *, commit: str = COMMIT, seed: int = 0, file: str = "model.safetensors", lacks: str = "", **config: Any
) -> torch.nn.Module:
    """Put a model into the cache, as downloading leaves it; return the model."""
    torch.manual_seed(seed)
    args = {"reg_tokens": 2, "init_values": 1.0}
    model = timm.create_model("test_vit", num_classes=0, **args).eval()
    folder = cache / "models--lab--pathology"
    place = folder / "snapshots" / commit
    place.mkdir(parents=True)
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "refs" / "main").write_text(commit, "utf-8")
    card = {
        "architecture": "test_vit",
        "model_args": args,
        "pretrained_cfg": {
            "input_size": [3, 160, 160], "fixed_input_size": True, "interpolation": "bicubic", "num_classes": 0,
            "mean": [0.7, 0.6, 0.7], "std": [0.2, 0.25, 0.2], "classifier": "head", **config,
        },
    }  # fmt: skip
    (place / "config.json").write_text(json.dumps(card), "utf-8")
    weights = {name: value for name, value in model.state_dict().items() if name != lacks}
    if file.endswith(".bin"):
        torch.save(weights, place / file)
    else:
        save_file(weights, place / file)
    return model


@pytest.mark.parametrize(
    ("file", "config"),
    [
        ("model.safetensors", {}),
        ("pytorch_model.bin", {}),
        ("weights.bin", {"hf_hub_filename": "weights.bin"}),
        ("own.safetensors", {"hf_hub_filename": "own.safetensors"}),
    ],
)
@pytest.mark.parametrize("revision", [None, COMMIT])
def test_its_features_are_those_of_timm(make, images, cache, file, config, revision):
    trained = published(cache, file=file, **config)
    encoder = make(
        "timm", 28, model=MODEL, weights="pretrained", input_size=160, **({"revision": revision} if revision else {})
    )
    seen = encoder._prepared(images())
    mean, std = torch.tensor([0.7, 0.6, 0.7]).view(3, 1, 1), torch.tensor([0.2, 0.25, 0.2]).view(3, 1, 1)
    inside = torch.nn.functional.interpolate(images(), (28, 160), mode="bicubic", antialias=True).clamp(0, 1)
    inside = torch.nn.functional.interpolate(inside, (160, 160), mode="bicubic", antialias=True).clamp(0, 1)
    torch.testing.assert_close(seen, (inside - mean) / std)
    with torch.no_grad():
        torch.testing.assert_close(encoder(images()), trained(seen))


def test_another_revision_is_another_model_and_another_key(make, images, cache, registry):
    other = "f" * 40
    published(cache, seed=1)
    published(cache, seed=2, commit=other)
    first, second = (
        make("timm", 160, model=MODEL, weights="pretrained", revision=revision) for revision in (COMMIT, other)
    )
    with torch.no_grad():
        assert not torch.allclose(first(images(1, 160)), second(images(1, 160)))
    resolved = [
        registry.resolve_or_raise("encoder", {"name": "timm", "model": MODEL, "weights": "pretrained", **more})
        for more in ({}, {"revision": COMMIT}, {"revision": other})
    ]
    assert len({json.dumps(each.identity(), sort_keys=True) for each in resolved}) == 3
    assert not any(map(is_untrained, resolved))
    assert named(resolved[0]) == f"pretrained weights of {MODEL}, no pretraining here"


def test_from_scratch_it_is_the_same_architecture(make, cache):
    published(cache)
    encoder = make("timm", 28, model=MODEL, input_size=160)
    assert encoder.backbone.num_prefix_tokens == 3
    assert encoder.mean.flatten().tolist() == [0.5, 0.5, 0.5]


def test_weights_with_a_classifier_that_lack_a_tensor_are_refused(make, cache):
    """Of these timm would take what is there, and leave the rest as it is made."""
    published(cache, lacks="blocks.0.mlp.fc1.weight", num_classes=7)
    with pytest.raises(StageError, match=r"its weights lack 1 of its tensors \(blocks\.0\.mlp\.fc1\.weight\)"):
        make("timm", 160, model=MODEL, weights="pretrained")


def test_tensors_that_the_model_has_not_are_told(make, cache):
    published(cache, num_classes=7)
    with pytest.warns(
        EncoderWarning, match=r"its weights have \d+ tensor\(s\) that it has not \(blocks\.5\..*\.\.\.\): left out"
    ):
        make("timm", 160, model=MODEL, weights="pretrained", options={"depth": 5})


def test_weights_that_lack_a_tensor_are_refused(make, cache):
    published(cache, lacks="blocks.0.mlp.fc1.weight")
    with pytest.raises(StageError, match=r'Missing key\(s\) in state_dict: "blocks\.0\.mlp\.fc1\.weight"'):
        make("timm", 160, model=MODEL, weights="pretrained")


@pytest.mark.parametrize("overlay", [True, False])
def test_weights_of_another_repository_fit_a_model_of_timm(make, images, cache, overlay):
    """As BiomedCLIP's, whose repository has no configuration of timm."""
    trained = published(cache)
    where = {"pretrained_cfg_overlay": {"hf_hub_id": "lab/pathology", "hf_hub_filename": "model.safetensors"}}
    options = {"reg_tokens": 2, "init_values": 1.0, **(where if overlay else {})}
    if not overlay:  # timm's own weights of this name are not in the cache
        with pytest.raises((StageError, AssertionError)):
            make("timm", 160, model="test_vit", weights="pretrained", options=options)
        return
    encoder = make("timm", 160, model="test_vit", weights="pretrained", options=options, revision=COMMIT)
    with torch.no_grad():
        torch.testing.assert_close(encoder(images(1, 160)), trained(encoder._prepared(images(1, 160))))


def _rehearsed(registry, *, fetch: bool = False, **more: Any):
    given = {"name": "timm", "model": MODEL, "weights": "pretrained", **more}
    component = registry.resolve_or_raise("encoder", given)
    return rehearse(registry, component, 28, fetch=fetch)


def test_a_rehearsal_says_what_it_does_not_know(registry, cache):
    nothing = _rehearsed(registry)
    assert (nothing.features, nothing.problem) == (0, "")
    assert "its configuration is not here, so its size is not checked: run downloads it" in nothing.notes[0]
    published(cache)
    unpinned = _rehearsed(registry, input_size=160)
    assert unpinned.features == 64
    assert f"write revision = a commit of it, now {COMMIT}" in unpinned.notes[0]
    assert _rehearsed(registry, input_size=160, revision=COMMIT).notes == ()
    problem = _rehearsed(registry, input_size=150, revision=COMMIT).problem
    assert "patches of 16 do not divide images of 150 pixels" in problem
    assert "write input_size = 144 or 160" in problem


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


_DAMAGED: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "half a file": ("model.safetensors", _cut, "no safetensors file, or a damaged one: it has no header; delete it"),
    "nothing": ("pytorch_model.bin", lambda file: file.write_bytes(b""), "it is empty; delete it, and it is fetched"),
    "half a zip": ("pytorch_model.bin", _cut, "a damaged file of torch.save: its end is missing; delete it"),
    "a page": ("pytorch_model.bin", lambda file: file.write_text("<html>"), "this is a web page, not a file of"),
    "half a configuration": ("config.json", lambda file: file.write_text('{"arch'), "this is no JSON ("),
    "another library": ("config.json", lambda file: file.write_text('{"model_type": "vit"}'), "is not one of timm's"),
    "no table": (
        "config.json",
        lambda file: file.write_text('{"architecture": "test_vit", "pretrained_cfg": null}'),
        "is not one of timm's",
    ),
}


@pytest.mark.parametrize("what", _DAMAGED)
def test_what_is_damaged_in_the_cache_is_told_before_a_run(registry, cache, what):
    name, damage, said = _DAMAGED[what]
    published(cache, file="model.safetensors" if name == "config.json" else name)
    file = cache / "models--lab--pathology" / "snapshots" / COMMIT / name
    damage(file)
    for fetch in (False, True):
        problem = _rehearsed(registry, input_size=160, fetch=fetch).problem
        assert said in problem
        assert "one of timm's" in said or str(file) in problem


def test_a_configuration_without_normalisation_is_told(registry, make, cache):
    published(cache)
    file = cache / "models--lab--pathology" / "snapshots" / COMMIT / "config.json"
    card = json.loads(file.read_text())
    del card["pretrained_cfg"]["mean"], card["pretrained_cfg"]["std"]
    file.write_text(json.dumps(card))
    (note,) = _rehearsed(registry, input_size=160, revision=COMMIT).notes
    assert note.startswith("its configuration has no mean and std: taken to be ImageNet's")
    assert make("timm", 160, model=MODEL, weights="pretrained").mean.flatten().tolist() == pytest.approx(
        [0.485, 0.456, 0.406]
    )
    told = {"input_size": 160, "revision": COMMIT, "mean": [0.5], "std": [0.5]}
    assert _rehearsed(registry, **told).notes == ()
    file.write_text(json.dumps({**card, "pretrained_cfg": {**card["pretrained_cfg"], "mean": 0.5, "std": 0.5}}))
    with pytest.raises(StageError, match=r"has mean = 0\.5 and std = 0\.5, which are no numbers of each channel"):
        make("timm", 160, model=MODEL, weights="pretrained")


def test_a_normalisation_that_does_not_fit_is_told_before_a_run(registry, cache):
    published(cache)
    given = {"input_size": 160, "revision": COMMIT, "options": {"in_chans": 1}}
    assert (
        "the known normalisation is of 3: write mean and std, of one number each"
        in _rehearsed(registry, **given).problem
    )
    assert _rehearsed(registry, **given, mean=[0.5], std=[0.2]).problem == ""


def test_weights_of_another_repository_need_their_normalisation(registry, cache):
    published(cache)
    overlay = {"hf_hub_id": "lab/pathology", "hf_hub_filename": "model.safetensors"}
    given = {"model": "test_vit", "input_size": 160, "revision": COMMIT}
    options = {"reg_tokens": 2, "init_values": 1.0, "pretrained_cfg_overlay": overlay}
    assert (
        "not how images were normalised: write mean and std" in _rehearsed(registry, **given, options=options).problem
    )
    assert _rehearsed(registry, **given, options=options, mean=[0.5], std=[0.2]).problem == ""
    without = {**given, "model": "vit_small_patch16_18x2_224", "input_size": 32}  # of which timm has no weights
    assert "write mean and std" in _rehearsed(registry, **without, options={"pretrained_cfg_overlay": overlay}).problem
    own = {"hf_hub_id": f"timm/test_vit.r160_in1k@{COMMIT}"}
    assert _rehearsed(registry, **{**given, "revision": None}, options={"pretrained_cfg_overlay": own}).problem == ""
    told = {**options, "pretrained_cfg_overlay": {**overlay, "mean": [0.5] * 3, "std": [0.2] * 3}}
    assert _rehearsed(registry, **given, options=told).problem == ""


def test_a_tag_that_there_is_not_is_told_before_a_run(registry):
    for more in ({}, {"input_size": 160}):
        problem = _rehearsed(registry, model="test_vit.r160", **more).problem
        assert problem == "timm has no weights 'test_vit.r160'; there are: test_vit.r160_in1k"


def test_a_repository_of_another_library_is_told(make, cache):
    place = cache / "models--lab--pathology" / "snapshots" / COMMIT
    place.mkdir(parents=True)
    (place / "config.json").write_text('{"model_type": "dinov2"}', "utf-8")
    with pytest.raises(StageError, match="is not one of timm's, which name an architecture"):
        make("timm", 28, model=MODEL, revision=COMMIT)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("hf-hub:lab/model@abc", "write model = 'hf-hub:lab/model' and revision = 'abc'"),
        ("hf-hub:model", "is called hf-hub:ORGANISATION/MODEL"),
        ("local-dir:/tmp/model", "write timm's name of the model and weights_file"),
    ],
)
def test_names_that_are_none(name, said):
    with pytest.raises(ValueError, match=r"hf-hub|local") as caught:
        checked_hub_name(name)
    assert said in str(caught.value)
    assert checked_hub_name("hf_hub:lab/model") == "hf-hub:lab/model"


def test_offline_what_is_missing_is_one_line_at_once(make, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(StageError, match=r"its configuration cannot be had: .*lab/pathology at v1 is not in") as caught:
        make("timm", 28, model=MODEL, weights="pretrained", revision="v1")
    assert "\n" not in str(caught.value)
    assert not pretrained.are_here(MODEL, "v1")
