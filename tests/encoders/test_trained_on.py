"""What public encoders were trained on, and where that overlaps the images of a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import timm

from medssl_bench.datasets.medmnist.info import published
from medssl_bench.datasets.origins import overlapping
from medssl_bench.encoders import trained_on as table
from medssl_bench.encoders.trained_on import known_training, trained_on

ROWS = json.loads(Path(table.__file__).with_name("trained_on.json").read_text("utf-8"))


def test_every_line_has_a_source_and_stands_once() -> None:
    names = [row.get("tag") or row["repository"] for row in ROWS]
    assert len(set(names)) == len(names)
    assert all(row["source"] and row["data"] and all(row["data"]) for row in ROWS)


def test_every_tag_is_one_that_timm_has() -> None:
    words = {word for name in timm.list_pretrained() for word in name.partition(".")[2].replace(".", "_").split("_")}
    assert {row["tag"] for row in ROWS if "tag" in row} <= words


@pytest.mark.parametrize(
    ("model", "data"),
    [
        ("vit_small_patch14_dinov2.lvd142m", ("LVD-142M",)),
        ("vit_base_patch16_224.augreg_in21k_ft_in1k", ("ImageNet-21k", "ImageNet-1k")),
        ("vit_base_patch32_clip_224.laion2b_ft_in12k_in1k", ("LAION-2B", "ImageNet-12k", "ImageNet-1k")),
        ("hf-hub:timm/convnext_tiny.dinov3_lvd1689m", ("LVD-1689M",)),
        ("hf-hub:somebody/vit.in1k", ()),
        ("hf-hub:microsoft/rad-dino", ("MIMIC-CXR", "CheXpert", "NIH ChestX-ray14", "PadChest", "BRAX")),
        ("resnet18", ()),
    ],
)
def test_what_is_known_of_a_model(model: str, data: tuple[str, ...]) -> None:
    found, source = known_training(model)
    assert found == data
    assert bool(source) == bool(data)


def test_what_the_suite_says_counts_before_the_table(registry) -> None:
    def of(**parameters):
        return trained_on(registry.resolve("encoder", {"name": "timm", **parameters}, Path()))

    dino = {"model": "vit_small_patch14_dinov2.lvd142m", "weights": "pretrained"}
    assert of(**dino) == ("LVD-142M",)
    assert of(**dino, trained_on=["ours"]) == ("ours",)
    assert of(**dino, trained_on=[]) == ()
    assert of(model=dino["model"], trained_on=["ours"]) == (), "random weights were trained on nothing"
    overlay = {"pretrained_cfg_overlay": {"hf_hub_id": "microsoft/rad-dino"}}
    assert "NIH ChestX-ray14" in of(model="vit_base_patch14_dinov2", weights="pretrained", options=overlay)


def test_it_is_in_no_key(registry) -> None:
    plain = registry.resolve("encoder", {"name": "timm", "model": "test_resnet"}, Path())
    told = registry.resolve("encoder", {"name": "timm", "model": "test_resnet", "trained_on": ["a"]}, Path())
    assert told.parameters["trained_on"] == ["a"]
    assert told.identity() == plain.identity()


@pytest.mark.parametrize(
    ("flag", "source"),
    [
        ("chestmnist", "NIH ChestX-ray14"),
        ("chestmnist", "RSNA Pneumonia"),
        ("pathmnist", "NCT-CRC-HE-100K"),
        ("dermamnist", "HAM10000"),
        ("dermamnist", "ISIC 2019"),
        ("octmnist", "OCT2017"),
        ("pneumoniamnist", "Kermany 2018"),
        ("retinamnist", "DeepDRiD"),
        ("breastmnist", "BUSI"),
        ("bloodmnist", "PBC"),
        ("tissuemnist", "BBBC051"),
        ("organamnist", "LiTS"),
        ("organcmnist", "Medical Segmentation Decathlon"),
        ("organsmnist", "organamnist"),
    ],
)
def test_the_sources_of_medmnist(flag: str, source: str) -> None:
    assert overlapping((source.upper(), "ImageNet-1k"), (flag,)) == ([source.upper()] if flag != "organsmnist" else [])
    assert overlapping(("MedMNIST",), (flag,)) == ["MedMNIST"]
    assert overlapping((flag,), (flag,)) == [flag]


def test_every_set_of_two_dimensions_has_a_source() -> None:
    flags = {flag for flag in published() if not flag.endswith("3d")}
    assert all(overlapping(("MedMNIST",), (flag,)) for flag in flags)


def test_what_does_not_overlap() -> None:
    """PCam is of Camelyon16, lymph nodes; ImageNet is of photographs."""
    assert overlapping(("PCam", "TCGA", "ImageNet-1k", "LVD-142M"), ("pathmnist", "PathMNIST")) == []
    assert overlapping(("NIH ChestX-ray14",), ("pneumoniamnist",)) == []
    assert overlapping(("",), ("", "squares")) == []


def test_a_data_set_of_ones_own_is_known_by_its_names() -> None:
    assert overlapping(("HAM 10000",), ("skin", "folder", "ham10000")) == ["HAM 10000"]
    assert overlapping(("ISIC 2018",), ("skin", "folder", "HAM10000")) == ["ISIC 2018"]
    assert overlapping(("Clinic A, 2019",), ("squares", "npz", "clinic a 2019")) == ["Clinic A, 2019"]
