"""Weights from a file, and from timm."""

from __future__ import annotations

import pytest
import timm
import torch

from medssl_bench.encoders.rehearsal import rehearse
from medssl_bench.errors import StageError, StoreError
from medssl_bench.plugin.parameters import ParameterProblem
from medssl_bench.store.tensors import save_tensors

TINY = {"model": "test_resnet"}


def test_a_file_of_weights_gives_the_same_features(make, images, tmp_path):
    file = tmp_path / "encoder.safetensors"
    trained = make("timm", seed=1, **TINY)
    save_tensors(trained.backbone.state_dict(), file)

    loaded, fresh = make("timm", seed=2, **TINY, weights_file=str(file)), make("timm", seed=2, **TINY)

    with torch.no_grad():
        assert torch.equal(loaded(images()), trained(images()))
        assert not torch.equal(fresh(images()), trained(images()))


@pytest.mark.parametrize("stem", ["imagenet", "small"])
def test_a_resnets_file_fits_its_stem(make, tmp_path, stem):
    file = tmp_path / "encoder.safetensors"
    trained = make("resnet18", stem=stem)
    save_tensors(trained.backbone.state_dict(), file)

    loaded = make("resnet18", seed=1, stem=stem, weights_file=str(file))

    assert torch.equal(loaded.backbone.conv1.weight, trained.backbone.conv1.weight)


def test_a_file_of_plain_timm_fits(make, tmp_path):
    model = timm.create_model("test_resnet", num_classes=0)
    save_tensors(model.state_dict(), tmp_path / "timm.safetensors")

    loaded = make("timm", **TINY, weights_file=str(tmp_path / "timm.safetensors"))

    assert all(torch.equal(value, loaded.backbone.state_dict()[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("model", ["resnet18", "test_convnext", "test_vit"])
def test_a_prefix_that_all_names_have_is_taken_off(make, tmp_path, model):
    hub = timm.create_model(model, num_classes=9)
    file = tmp_path / "hub.safetensors"
    save_tensors({f"model.encoder.{name}": value for name, value in hub.state_dict().items()}, file)
    loaded = make("timm", 160, model=model, weights_file=str(file))
    assert all(torch.equal(value, hub.state_dict()[name]) for name, value in loaded.backbone.state_dict().items())
    save_tensors({f"model.{name}": value for name, value in hub.state_dict().items()} | {"other": torch.ones(1)}, file)
    with pytest.raises(StageError, match="these are not the weights of"):
        make("timm", 160, model=model, weights_file=str(file))


@pytest.mark.parametrize(("model", "classifier"), [("test_resnet", "fc"), ("test_vit", "head")])
def test_the_classifier_of_a_hubs_file_is_left_out(make, tmp_path, model, classifier):
    options = {"img_size": 28, "patch_size": 7} if model == "test_vit" else {}
    hub = timm.create_model(model, num_classes=9, **options)
    save_tensors(hub.state_dict(), tmp_path / "hub.safetensors")

    loaded = make("timm", model=model, options=options, weights_file=str(tmp_path / "hub.safetensors"))

    assert loaded.left_out == [f"{classifier}.bias", f"{classifier}.weight"]
    assert all(torch.equal(value, hub.state_dict()[name]) for name, value in loaded.backbone.state_dict().items())


@pytest.mark.parametrize("change", ["another model", "another kind", "another stem", "one missing", "one too many"])
def test_weights_of_another_model_fail_in_one_short_line(make, tmp_path, change):
    file = tmp_path / "other.safetensors"
    weights = make("resnet18", stem="small" if change == "another stem" else "imagenet").backbone.state_dict()
    if change == "another model":
        weights = make("timm", **TINY).backbone.state_dict()
    if change == "another kind":
        weights = make("vit_tiny").backbone.state_dict()
    if change == "one missing":
        del weights["layer1.0.conv1.weight"]
    if change == "one too many":
        weights["layer5.weight"] = torch.zeros(8, 512)
    save_tensors(weights, file)

    with pytest.raises(StageError, match="these are not the weights of resnet18") as caught:
        make("resnet18", weights_file=str(file))

    assert str(caught.value).startswith(f"{file}: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(file)) + 250


def test_a_file_that_is_not_there_fails_in_one_line(make, tmp_path):
    with pytest.raises(StoreError, match=r"none\.safetensors: there is no such file"):
        make("timm", **TINY, weights_file=str(tmp_path / "none.safetensors"))


def test_a_file_of_something_else_fails_in_one_line(make, tmp_path):
    (tmp_path / "text.safetensors").write_text("not tensors", "utf-8")

    with pytest.raises(ParameterProblem, match="this is no safetensors file") as caught:
        make("timm", **TINY, weights_file=str(tmp_path / "text.safetensors"))

    assert "\n" not in str(caught.value)


def test_a_file_that_is_spoilt_after_the_suite_was_read_fails_in_one_line(make, tmp_path):
    (tmp_path / "text.safetensors").write_text("not tensors", "utf-8")

    with pytest.raises(StoreError, match="these weights cannot be read") as caught:
        make("timm", **TINY).load_file(tmp_path / "text.safetensors")

    assert "\n" not in str(caught.value)


def test_weights_that_cannot_be_downloaded_fail_in_one_line(make, monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(StageError, match="timm model 'resnet18': its pretrained weights cannot be had") as caught:
        make("resnet18", weights="pretrained")

    assert "\n" not in str(caught.value)


def test_whole_numbers_are_no_weights(make, tmp_path):
    weights = make("timm", **TINY).backbone.state_dict()
    save_tensors({name: value.to(torch.int8) for name, value in weights.items()}, tmp_path / "rounded.safetensors")
    with pytest.raises(StageError, match=r"conv1\.0\.weight has whole numbers: these weights are quantised"):
        make("timm", **TINY, weights_file=str(tmp_path / "rounded.safetensors"))


def test_a_mean_of_pixels_up_to_255_is_refused(make):
    with pytest.raises(StageError, match=r"mean = \[123\.7\] is not of pixels in \[0, 1\]: divide mean and std by 255"):
        make("timm", **TINY, mean=[123.7], std=[58.4])
    with pytest.raises(StageError, match=r"std = \[255\.0\] is not of pixels in \[0, 1\], whose deviation is below 1"):
        make("timm", **TINY, mean=[0.0], std=[255.0])


def test_pretrained_weights_and_a_file_of_them_contradict_each_other(registry, tmp_path):
    save_tensors(timm.create_model("test_resnet", num_classes=0).state_dict(), tmp_path / "a.safetensors")
    given = {"name": "timm", **TINY, "weights": "pretrained", "weights_file": str(tmp_path / "a.safetensors")}
    found = rehearse(registry, registry.resolve_or_raise("encoder", given), 28, fetch=False)
    assert found.problem == 'weights = "pretrained" and weights_file contradict each other: write one of them'
