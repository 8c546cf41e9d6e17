from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medssl_bench.datasets import Task
from medssl_bench.datasets.check_info import wrong_with
from medssl_bench.datasets.check_splits import wrong_with_splits, wrong_with_unlabelled
from medssl_bench.datasets.folder.factory import folder
from medssl_bench.datasets.images.dataset import images
from medssl_bench.errors import DataError

RNG = np.random.default_rng(0)


def draw(path: Path, *, shape: tuple[int, ...] = (20, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, shape, dtype=np.uint8)).save(path)


@pytest.fixture
def tree(tmp_path):
    """A tree of grey images, two of which lie deep."""
    names = ["a/1.png", "a/deep/er/2.png", "b/raw/3.png", "b/raw/4.jpg", "train/patient 7/5.png", "6.png"]
    for name in names:
        draw(tmp_path / "tree" / name)
    (tmp_path / "tree" / "notes.txt").write_text("x")
    return tmp_path / "tree"


def test_a_tree_of_any_depth(context, tree):
    found = images(context, path=tree)
    info = found.info()
    assert info is not None
    assert (info.task, info.classes, info.channels, info.size, info.unlabelled) == (Task.NONE, (), 1, 28, 6)
    assert (info.title, set(info.counts.values()), wrong_with(info)) == ("tree", {0}, "")
    assert info.notes == ("left out: 1 .txt file in ./",)
    assert found.load() == {}
    assert wrong_with_splits(info, found.load()) == wrong_with_unlabelled(info, found.load_unlabelled()) == ""
    assert isinstance(images(context, path=tree).load_unlabelled().images, np.memmap), "the second time from the cache"


def test_images_are_decoded_as_by_the_folder_data_set(context, tmp_path):
    for name in ("x/1.png", "x/2.png", "y/3.png", "y/4.png"):
        for split in ("train", "val", "test"):
            draw(tmp_path / "f" / split / name, shape=(40, 33, 3))
    labelled = folder(context, path=tmp_path / "f", size=16).load()["train"].images
    found = images(context, path=tmp_path / "f" / "train", size=16).load_unlabelled().images
    assert np.array_equal(labelled, found)


@pytest.mark.parametrize(
    ("match", "wanted"),
    [
        (["a"], 2),
        (["a", "b"], 4),
        (["a", "a/deep"], 2),
        (["*/raw"], 2),
        (["**/*.png"], 5),
        (["*.png"], 1),
        (["./b/raw/*.jpg"], 1),
        (["**/raw/**"], 2),
    ],
)
def test_patterns_choose_files_and_folders(context, tree, match, wanted):
    found = images(context, path=tree, match=match)
    assert found.info().unlabelled == len(found.load_unlabelled()) == wanted
    if wanted < 6:
        assert f"left out: {6 - wanted:,} images by 'match'" in found.info().notes


def test_content_decides_the_fingerprint_and_its_place_does_not(context, tree, tmp_path):
    before = images(context, path=tree).fingerprint()
    tree.rename(tmp_path / "moved")
    assert images(context, path=tmp_path / "moved").fingerprint() == before
    assert images(context, path=tmp_path / "moved", match=["a"]).fingerprint() != before
    draw(tmp_path / "moved" / "6.png")
    assert images(context, path=tmp_path / "moved").fingerprint() != before
    assert images(context, path=tree).fingerprint() is images(context, path=tree).info() is None


def test_colour(context, tree):
    draw(tree / "z.png", shape=(20, 20, 3))
    assert images(context, path=tree).info().channels == 3
    assert images(context, path=tree, colour="grey").info().channels == 1


@pytest.mark.parametrize(
    ("name", "parameters", "what"),
    [
        ("x.dcm", {}, "1 of 7 images are DICOM"),
        ("6_mask.png", {}, "look like masks"),
        ("broken.png", {}, "1 of 7 images cannot be used: broken.png"),
        ("more.txt", {"match": ["c*"]}, "'match': no image is 'c.', or in such a folder"),
        ("more.txt", {"array": "x"}, "a folder has no array 'x'"),
        ("more.txt", {"leave_out": ["*.png", "*.jpg"]}, "holds no images"),
    ],
)
def test_what_is_not_clear_is_refused(context, tree, name, parameters, what):
    if name == "6_mask.png":
        draw(tree / name)
    else:
        (tree / name).write_bytes(b"not an image")
    with pytest.raises(DataError, match=what):
        images(context, path=tree, **parameters).info()


@pytest.mark.parametrize("shape", [(30, 12, 12), (30, 12, 12, 1), (30, 12, 12, 3)])
def test_an_array_is_mapped_into_memory(context, tmp_path, shape):
    array = RNG.integers(0, 256, shape, dtype=np.uint8)
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", pool=array)
    np.savez(tmp_path / "two.npz", pool=array, other=array[:5])
    mapped = images(context, path=tmp_path / "a.npy")
    found = mapped.load_unlabelled().images
    assert isinstance(found, np.memmap)
    assert mapped.info().size == 12
    for other in (found, images(context, path=tmp_path / "a.npz").load_unlabelled().images):
        assert np.array_equal(other, array.squeeze(-1) if shape[3:] == (1,) else array)
    two = {name: images(context, path=tmp_path / "two.npz", array=name) for name in ("pool", "other")}
    assert [made.info().unlabelled for made in two.values()] == [30, 5]
    assert len({made.fingerprint() for made in two.values()}) == 2
    with pytest.raises(DataError, match=r"holds 'other', 'pool'; say which with array = "):
        images(context, path=tmp_path / "two.npz").info()


@pytest.mark.parametrize(
    ("array", "parameters", "what"),
    [
        (np.zeros((3, 8, 8)), {}, "has elements of type float64; images must be uint8"),
        (np.zeros((3, 8, 9), np.uint8), {}, "the images must be square"),
        (np.zeros((3, 8, 8, 4), np.uint8), {}, "it must be .N, size, size. or"),
        (np.zeros((0, 8, 8), np.uint8), {}, "it must be .N, size, size. or"),
        (np.zeros((3, 8, 8), np.uint8), {}, "all 3 images of the array are black"),
        (np.full((3, 8, 8), 255, np.uint8), {"size": 28}, "its images are 8 pixels wide, and size = 28"),
        (np.full((3, 8, 8), 255, np.uint8), {"array": "x"}, "a .npy file has one array, without a name"),
        (np.full((3, 8, 8), 255, np.uint8), {"match": ["x"]}, "are for folders"),
        (None, {}, "not a .npy file, or a damaged one"),
    ],
)
def test_other_arrays_are_refused(context, tmp_path, array, parameters, what):
    path = tmp_path / "a.npy"
    if array is None:
        path.write_bytes(b"\x93NUMPY damaged")
    else:
        np.save(path, array)
    with pytest.raises(DataError, match=what):
        images(context, path=path, **parameters).info()


def test_a_file_that_is_no_array_is_refused(context, tmp_path):
    (tmp_path / "a.csv").write_text("x")
    with pytest.raises(DataError, match="neither a folder nor"):
        images(context, path=tmp_path / "a.csv").info()
    with pytest.raises(DataError, match="there is no such file or folder"):
        images(context, path=tmp_path / "none").load_unlabelled()
