"""``data check`` on a suite, a folder, an npz file and a named data set."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medssl_bench.datasets.phantoms.factories import phantom_cells


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _splits():
    return phantom_cells(None, train=80, val=40, test=40).load()


@pytest.fixture
def npz():
    """Write an npz whose test images 3 and 4 are training images 10, mirrored, and 11, darker."""
    splits = _splits()
    splits["test"].images[3] = splits["train"].images[10][:, ::-1]
    splits["test"].images[4] = (splits["train"].images[11] * 0.9).astype(np.uint8)
    arrays = {f"{name}_{what}": getattr(split, what) for name, split in splits.items() for what in ("images", "labels")}
    np.savez("cells.npz", **arrays)


def test_an_npz_file(cli, npz):
    result = cli("data", "check", "cells.npz")

    assert result.status == 0, result.err
    assert result.out.startswith("cells.npz: 80 training, 40 validation, 40 test images of 28 pixels\n")
    assert "  leak: 1 of 40 test images is a copy of training images" in result.out
    assert "  leak: 1 of 40 test images is a near copy of training images\n" in result.out
    assert re.search(r"^  copy: train 10 = test 3, likeness 1.000, mirrored", result.out, re.MULTILINE)
    assert re.search(r"^  near copy: train 11 = test 4, likeness [01]\.", result.out, re.MULTILINE)


def test_json_lists_all_pairs_and_nothing_else(cli, npz):
    result = cli("data", "check", "cells.npz", "--format", "json", "--sheet", "pairs.png")

    assert result.status == 0, result.err
    (found,) = json.loads(result.out)
    assert found["images"] == {"train": 80, "val": 40, "test": 40}
    assert found["threshold"] == 0.94
    assert len(found["leaks"]) == 2
    copy, near = [pair for pair in found["pairs"] if pair["kind"] != "look-alike"]
    assert (copy["kind"], copy["first"]["part"], copy["first"]["index"]) == ("copy", "train", 10)
    assert (copy["second"]["part"], copy["second"]["index"], copy["turn"]) == ("test", 3, 4)
    assert (near["kind"], near["first"]["index"], near["second"]["index"], near["turn"]) == ("near copy", 11, 4, 0)
    with Image.open("pairs.png") as sheet:
        assert sheet.width > 300


def test_strict_ends_with_status_1_where_something_leaks(cli, npz):
    assert cli("data", "check", "cells.npz", "--strict").status == 1
    clean = cli("data", "check", "phantom_layers", "--set", "train=60", "--set", "test=60", "--strict")
    assert clean.status == 0, clean.err
    assert "nothing was found" in clean.out


def test_a_folder_names_its_files(cli):
    splits = _splits()
    for name, split in splits.items():
        for place, (image, label) in enumerate(zip(split.images, split.labels[:, 0] % 2, strict=True)):
            file = f"cells/{name}/{'ab'[label]}/{place:03}.png"
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(file)
    Image.fromarray(splits["train"].images[0]).save("cells/test/a/copy.png")

    result = cli("data", "check", "cells", "--format", "json")

    assert result.status == 0, result.err
    (found,) = json.loads(result.out)
    pair = found["pairs"][0]
    assert pair["second"]["file"] == "test/a/copy.png"
    assert pair["first"]["file"] == f"train/{'ab'[splits['train'].labels[0, 0] % 2]}/000.png"


def test_the_data_sets_of_a_suite(cli, tiny):
    every = cli("data", "check", tiny)
    one = cli("data", "check", tiny, "--dataset", "squares")
    assert every.status == one.status == 0, every.err
    assert one.out.startswith("squares: ")
    assert one.out in every.out


def test_what_leaks_is_said_by_validate_from_then_on(cli, npz, tiny):
    suite = tiny.with_name("cells.toml")
    suite.write_text(tiny.read_text().replace("squares.npz", str(Path("cells.npz").resolve())))
    line = "warning: 1 of 40 test images is a near copy of training images"
    assert line not in cli("validate", suite).out
    assert cli("data", "check", suite).status == 0
    assert line in cli("validate", suite).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no_such",), "there is no dataset"),
        (("phantom_cels",), "did you mean 'phantom_cells'"),
        (("none.npz",), "none.npz: there is no such file"),
        (("phantom_cells", "--dataset", "x"), "--dataset is for a suite"),
        (("bloodmnist", "--data-dir", "data"), "medssl-bench data fetch bloodmnist"),
        (("table.csv",), "medssl-bench init table.csv writes suite.toml, and data check takes that"),
        (("text.txt",), "text.txt: not a suite (.toml), a folder or an npz file"),
    ],
)
def test_what_cannot_be_checked_is_refused_in_one_line(cli, arguments, said):
    for name in ("text.txt", "table.csv"):
        Path(name).write_text("x")
    result = cli("data", "check", *arguments)
    assert result.status == 2
    assert said in result.err
    assert len(result.err.strip().splitlines()) == 1


def test_a_data_set_that_the_suite_has_not(cli, tiny):
    result = cli("data", "check", tiny, "--dataset", "sqares")
    assert result.status == 2
    assert "did you mean 'squares'" in result.err
