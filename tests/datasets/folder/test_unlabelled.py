from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medssl_bench.datasets.folder.factory import folder
from medssl_bench.datasets.folder.unlabelled import matching
from medssl_bench.errors import DataError

RNG = np.random.default_rng(0)


def draw(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (20, 30), dtype=np.uint8)).save(path)


def fill(root: Path, *starts: str, number: int = 10) -> None:
    for start in starts:
        for name in ("benign", "malignant"):
            for place in range(number):
                draw(root / start / name / f"{place}.png")


@pytest.fixture
def root(tmp_path):
    fill(tmp_path / "set", "train", "val", "test")
    return tmp_path / "set"


@pytest.mark.parametrize("name", ["unlabelled", "Unlabeled"])
@pytest.mark.parametrize("laid_out", ["splits", "classes", "outer"])
def test_images_without_labels_lie_beside_splits_and_classes(context, tmp_path, laid_out, name):
    top = tmp_path / "set" / ("data" if laid_out == "outer" else "")
    fill(top, *(["train", "val", "test"] if laid_out == "splits" else [""]))
    before = folder(context, path=tmp_path / "set")
    prints, info = before.fingerprint(), before.info()
    assert (info.unlabelled, info.unlabelled_fingerprint) == (0, "")
    with pytest.raises(DataError, match="has no unlabelled images"):
        before.load_unlabelled()
    for place in ("1.png", "patient 3/2.png", "a/b/c/3.png"):
        draw(top / name / place)

    after = folder(context, path=tmp_path / "set")
    found = after.info()
    assert (found.classes, found.counts, found.unlabelled) == (info.classes, info.counts, 3)
    assert after.load_unlabelled().images.shape == (3, 28, 28)
    assert after.fingerprint() == prints, "what is labelled stays what it was"
    draw(top / name / "4.png")
    assert folder(context, path=tmp_path / "set").info().unlabelled_fingerprint != found.unlabelled_fingerprint


def test_the_name_can_be_that_of_a_class(context, tmp_path):
    fill(tmp_path / "set", "")
    (tmp_path / "set" / "benign").rename(tmp_path / "set" / "unlabelled")
    info = folder(context, path=tmp_path / "set", classes=["malignant", "unlabelled"]).info()
    assert (info.classes, info.unlabelled) == (("malignant", "unlabelled"), 0)


@pytest.mark.parametrize(
    ("name", "what"),
    [("x.dcm", "1 of 2 images are DICOM"), ("broken.png", "1 of 2 images cannot be used: unlabelled/broken.png")],
)
def test_what_cannot_be_read_is_refused(context, root, name, what):
    draw(root / "unlabelled" / "1.png")
    (root / "unlabelled" / name).write_bytes(b"not an image")
    with pytest.raises(DataError, match=what):
        folder(context, path=root).info()


def test_an_empty_folder_is_refused(context, root):
    (root / "unlabelled").mkdir()
    with pytest.raises(DataError, match="unlabelled: holds no images"):
        folder(context, path=root).info()


def test_files_that_are_not_read_are_counted(context, root):
    draw(root / "unlabelled" / "1.png")
    (root / "unlabelled" / "list.txt").write_text("x")
    assert "left out: 1 .txt file in unlabelled/" in folder(context, path=root).info().notes


def test_patterns_without_a_match_are_told():
    assert matching(["a/b.png", "c.png"], ["a", "d*", "c.png"]) == (["a/b.png", "c.png"], ["d*"])
