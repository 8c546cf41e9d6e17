from __future__ import annotations

import os
import shutil
from collections import Counter
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medssl_bench.datasets import Task
from medssl_bench.datasets.folder import image_cache
from medssl_bench.datasets.folder.factory import folder
from medssl_bench.datasets.folder.listing import list_images
from medssl_bench.errors import DataError, printable


def write(folder_path, values, mode="L"):
    """Write an image of one colour for each value."""
    folder_path.mkdir(parents=True, exist_ok=True)
    for index, value in enumerate(values):
        colour = value if mode == "L" else (value, 0, 0)
        Image.new(mode, (12, 10), colour).save(folder_path / f"{index:03}.png")


@pytest.fixture
def unsplit(tmp_path):
    root = tmp_path / "cells"
    write(root / "lymphocyte", range(100, 120))
    write(root / "basophil", range(10))
    write(root / "monocyte", range(200, 230))
    return root


@pytest.fixture
def split(tmp_path):
    root = tmp_path / "scans"
    for index, name in enumerate(("train", "val", "test")):
        write(root / name / "benign", range(index * 10, index * 10 + 6 - index))
        write(root / name / "malignant", range(100 + index * 10, 104 + index * 10))
    return root


def pixels(splits):
    """Return the grey of each image, by split."""
    return {name: part.images[:, 0, 0].tolist() for name, part in splits.items()}


def test_info_without_splits(unsplit, context):
    info = folder(context, path=unsplit).info()

    assert (info.title, info.task, info.channels, info.size) == ("cells", Task.MULTI_CLASS, 1, 28)
    assert info.classes == ("basophil", "lymphocyte", "monocyte")
    assert info.counts == {"train": 42, "val": 6, "test": 12}
    assert info.class_counts == (7, 14, 21)


def test_drawn_splits_share_out_the_images(unsplit, context):
    dataset = folder(context, path=unsplit, size=8)
    splits = dataset.load()

    assert sorted(chain(*pixels(splits).values())) == [*range(10), *range(100, 120), *range(200, 230)]
    assert {name: len(part) for name, part in splits.items()} == dataset.info().counts
    for part in splits.values():
        assert (part.images.dtype, part.labels.dtype) == (np.uint8, np.int64)
        assert part.images.shape == (len(part), 8, 8)
        np.testing.assert_array_equal(part.labels[:, 0], part.images[:, 0, 0] // 100)
    np.testing.assert_array_equal(np.bincount(splits["train"].labels[:, 0]), dataset.info().class_counts)
    np.testing.assert_array_equal(np.bincount(splits["val"].labels[:, 0]), dataset.info().val_class_counts)


def test_the_seed_decides_the_draw(unsplit, context):
    first, again, other = (pixels(folder(context, path=unsplit, size=8, seed=seed).load()) for seed in (0, 0, 1))

    assert first == again
    assert first != other


def test_given_splits_stay(split, context):
    dataset = folder(context, path=split, size=8)
    splits = dataset.load()

    assert pixels(splits) == {
        "train": [*range(6), *range(100, 104)],
        "val": [*range(10, 15), *range(110, 114)],
        "test": [*range(20, 24), *range(120, 124)],
    }
    assert dataset.info().task is Task.BINARY
    assert dataset.info().class_counts == (6, 4)
    assert splits["test"].labels[:, 0].tolist() == [0] * 4 + [1] * 4


def test_a_validation_split_is_drawn_from_the_training_images_where_none_is_given(split, context):
    shutil.rmtree(split / "val")

    splits = pixels(folder(context, path=split, size=8, validation=0.25).load())

    assert splits["test"] == [*range(20, 24), *range(120, 124)]
    assert sorted(splits["train"] + splits["val"]) == [*range(6), *range(100, 104)]
    assert len(splits["val"]) == 3  # 1.5 and 1 images, rounded half up


def test_rgb_images_and_grey_on_request(tmp_path, context):
    for name in ("a", "b"):
        write(tmp_path / "rgb" / name, range(5), "RGB")

    assert folder(context, path=tmp_path / "rgb").info().channels == 3
    assert folder(context, path=tmp_path / "rgb", size=8).load()["train"].images.shape[1:] == (8, 8, 3)
    assert folder(context, path=tmp_path / "rgb", colour="grey").info().channels == 1
    assert folder(context, path=tmp_path / "rgb", size=8, colour="grey").load()["train"].images.shape[1:] == (8, 8)


def test_one_class_in_colour_makes_the_set_rgb(unsplit, context):
    write(unsplit / "monocyte", range(200, 230), "RGB")

    dataset = folder(context, path=unsplit, size=8)

    assert dataset.info().channels == 3
    assert dataset.load()["test"].images.shape[1:] == (8, 8, 3)


def test_a_late_colour_image_is_named(unsplit, context):
    Image.new("RGB", (8, 8)).save(unsplit / "basophil" / "009.png")

    for act in ("info", "load"):
        with pytest.raises(DataError, match=r"1 of 60 images cannot be used: basophil/009\.png \(it is in colour"):
            getattr(folder(context, path=unsplit), act)()
    assert folder(context, path=unsplit, colour="grey").load()


def test_grades_are_in_numerical_order(tmp_path, context):
    for grade in range(11):
        write(tmp_path / "grades" / str(grade), range(5))

    info = folder(context, path=tmp_path / "grades", task="ordinal").info()

    assert (info.task, info.classes) == (Task.ORDINAL, tuple(str(grade) for grade in range(11)))


def test_other_files_are_passed_over(unsplit, context):
    (unsplit / "README.md").write_text("")
    (unsplit / ".git").mkdir()
    (unsplit / "basophil" / "Thumbs.db").write_text("")
    (unsplit / "basophil" / "._000.png").write_text("")
    (unsplit / "basophil" / "000.PNG").write_bytes((unsplit / "basophil" / "000.png").read_bytes())
    (unsplit / "basophil" / "000.png").unlink()
    write(unsplit / "monocyte" / "patient 7", range(230, 232))

    counts = Counter(list_images(unsplit).labels)

    assert counts == {0: 10, 1: 20, 2: 32}


def test_the_images_are_decoded_once(unsplit, context, monkeypatch):
    first = folder(context, path=unsplit, size=8).load()
    monkeypatch.setattr(image_cache, "_decode_into", None)  # decoding again would fail

    again = folder(context, path=unsplit, size=8).load()
    other_draw = folder(context, path=unsplit, size=8, seed=5, test=0.5).load()

    assert pixels(again) == pixels(first)
    assert sorted(chain(*pixels(other_draw).values())) == sorted(chain(*pixels(first).values()))
    assert again["train"].images.flags.writeable
    with pytest.raises(TypeError):
        folder(context, path=unsplit, size=9).load()


def test_a_damaged_cache_is_made_anew(unsplit, context):
    first = folder(context, path=unsplit, size=8).load()
    (kept,) = (context.cache_dir / "folders").glob("*.npy")
    kept.write_bytes(kept.read_bytes()[:-5])

    assert pixels(folder(context, path=unsplit, size=8).load()) == pixels(first)
    assert kept.stat().st_size == 128 + 60 * 64 + 64, "a header, the pixels, and the seal"


def test_a_cache_whose_pixels_were_altered_is_made_anew(unsplit, context):
    """The time of the file is put back, as whoever alters it can."""
    first = folder(context, path=unsplit, size=8).load()
    (kept,) = (context.cache_dir / "folders").glob("*.npy")
    whole, state = kept.read_bytes(), kept.stat()
    for place in (128, 128 + 60 * 64 - 1, len(whole) - 1):
        content = bytearray(whole)
        content[place] ^= 1
        kept.write_bytes(content)
        os.utime(kept, ns=(state.st_atime_ns, state.st_mtime_ns))
        assert pixels(folder(context, path=unsplit, size=8).load()) == pixels(first), place
        assert kept.read_bytes() == whole


def test_a_cache_of_an_older_version_is_not_trusted(unsplit, context):
    first = folder(context, path=unsplit, size=8).load()
    (kept,) = (context.cache_dir / "folders").glob("*.npy")
    whole = kept.read_bytes()
    kept.write_bytes(whole[:128] + bytes(60 * 64))  # no seal: black images
    assert pixels(folder(context, path=unsplit, size=8).load()) == pixels(first)
    assert kept.read_bytes() == whole


def test_the_pixels_of_one_folder_are_not_taken_for_those_of_another(unsplit, context):
    first = pixels(folder(context, path=unsplit, size=8).load())
    (kept,) = (context.cache_dir / "folders").glob("*.npy")
    whole = kept.read_bytes()
    Image.fromarray(np.full((8, 8), 7, np.uint8)).save(next(path for path in unsplit.rglob("*.png")))
    other = pixels(folder(context, path=unsplit, size=8).load())
    assert other != first
    (new,) = {*(context.cache_dir / "folders").glob("*.npy")} - {kept}
    new.write_bytes(whole)
    assert pixels(folder(context, path=unsplit, size=8).load()) == other


@pytest.mark.parametrize(
    "spoil", [lambda _: b"", lambda _: b"0" * 64, lambda text: text[:64], lambda text: b"1" + text[1:]]
)
def test_a_remembered_fingerprint_that_was_altered_is_computed_anew(spoil, unsplit, context):
    """Emptied, they would give every folder one fingerprint."""
    first = folder(context, path=unsplit).fingerprint()
    for marker in (context.cache_dir / "digests").iterdir():
        marker.write_bytes(spoil(marker.read_bytes()))
    assert folder(context, path=unsplit).fingerprint() == first


def test_a_fingerprint_is_not_taken_for_that_of_another_folder(unsplit, context, tmp_path):
    shutil.copytree(unsplit, tmp_path / "other")
    (next((tmp_path / "other").rglob("*.png"))).unlink()
    prints = [folder(context, path=path).fingerprint() for path in (unsplit, tmp_path / "other")]
    one, two = (context.cache_dir / "digests").iterdir()
    one.write_bytes(two.read_bytes())
    assert [folder(context, path=path).fingerprint() for path in (unsplit, tmp_path / "other")] == prints


def test_a_cache_that_cannot_be_written_does_no_harm(unsplit, context, tmp_path):
    (tmp_path / "file").write_text("")

    assert folder(replace(context, cache_dir=tmp_path / "file"), path=unsplit).load()


def test_the_fingerprint_is_of_names_and_contents(unsplit, context, tmp_path):
    before = folder(context, path=unsplit).fingerprint()
    copy = shutil.copytree(unsplit, tmp_path / "copy")
    assert before.startswith("sha256:")
    assert folder(context, path=copy).fingerprint() == before

    (copy / "basophil" / "000.png").rename(copy / "basophil" / "a.png")
    renamed = folder(context, path=copy).fingerprint()
    (copy / "basophil" / "a.png").write_bytes((copy / "basophil" / "001.png").read_bytes())
    changed = folder(context, path=copy).fingerprint()

    assert len({before, renamed, changed}) == 3


def test_the_fingerprint_is_remembered_while_the_files_stay(unsplit, context, monkeypatch):
    before = folder(context, path=unsplit).fingerprint()
    monkeypatch.setattr("hashlib.file_digest", None)  # hashing again would fail

    assert folder(context, path=unsplit).fingerprint() == before
    os.utime(unsplit / "basophil" / "000.png", ns=(0, 0))
    with pytest.raises(TypeError):
        folder(context, path=unsplit).fingerprint()


def test_a_folder_that_is_not_there(tmp_path, context):
    dataset = folder(context, path=tmp_path / "none")

    assert dataset.info() is None
    assert dataset.fingerprint() is None
    with pytest.raises(DataError, match="none: there is no such folder"):
        dataset.load()


def test_unreadable_files_are_named_together(unsplit, context):
    (unsplit / "monocyte" / "001.png").write_text("no image")
    for name in ("002.png", "003.jpg", "004.tiff", "005.bmp"):
        path = unsplit / "monocyte" / name
        path.unlink(missing_ok=True)
        Image.effect_noise((64, 64), 50).save(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(DataError) as caught:
        folder(context, path=unsplit).load()

    message = str(caught.value)
    assert f"{unsplit}: 5 of 63 images cannot be used: monocyte/001.png (cannot identify image file" in message
    assert "and 2 more (all in " in message
    assert message.endswith("); repair or remove them")
    assert "\n" not in message
    listed = Path(message.partition("(all in ")[2].partition(")")[0]).read_text().splitlines()
    assert [line.split("\t")[0] for line in listed] == [
        f"monocyte/{name}" for name in ("001.png", "002.png", "003.jpg", "004.tiff", "005.bmp")
    ]
    assert all(line.split("\t")[1] for line in listed), "each has its reason"


def test_an_unreadable_first_image(unsplit, context):
    (unsplit / "monocyte" / "000.png").write_text("no image")

    (unsplit / "lymphocyte" / "000.png").unlink()
    (unsplit / "lymphocyte" / "000.png").symlink_to("nowhere")

    with pytest.raises(DataError, match=r"2 of 60 images.*lymphocyte/000\.png \(cannot be read.*monocyte/000\.png"):
        folder(context, path=unsplit).info()


def add_pipe(root):
    os.mkfifo(root / "basophil" / "0.png")


def add_endless_file(root):
    (root / "basophil" / "0.png").symlink_to("/dev/zero")


def add_broken_link(root):
    (root / "basophil" / "0.png").symlink_to("nowhere")


def add_class_that_is_a_link_to_another(root):
    (root / "neutrophil").symlink_to("basophil")


def add_class_that_is_a_link_to_all(root):
    (root / "neutrophil").symlink_to(".")


def add_class_that_is_a_link_to_itself(root):
    (root / "neutrophil").symlink_to("neutrophil")


def use_the_training_images_for_the_test(root):
    write(root / "train" / "a", range(3))
    write(root / "train" / "b", range(3))
    (root / "test").mkdir()
    (root / "test" / "a").symlink_to("../train/a")


def add_link_to_a_folder(root):
    (root / "basophil" / "more").symlink_to("../monocyte")


def add_name_of_another_encoding(root):
    shutil.copy(root / "basophil" / "000.png", root / "basophil" / os.fsdecode(b"\xff.png"))


def add_class_of_another_encoding(root):
    (root / os.fsdecode(b"\xff")).mkdir()


def add_class_with_a_line_break(root):
    (root / "a\nb").mkdir()


def add_bomb(root):
    Image.new("1", (10_000, 10_000)).save(root / "basophil" / "0.png")


def add_later_bomb(root):
    Image.new("1", (20_000, 10_000)).save(root / "basophil" / "z.png")


def add_program_under_the_name_of_an_image(root):
    Image.new("RGB", (8, 8)).save(root / "basophil" / "z.png", format="EPS")


def give_a_test_split_of_one_class(root):
    for name in ("basophil", "lymphocyte", "monocyte"):
        (root / "train").mkdir(exist_ok=True)
        (root / name).rename(root / "train" / name)
    write(root / "test" / "monocyte", range(3))


def make_empty_class(root):
    (root / "neutrophil").mkdir()


def keep_one_class(root):
    shutil.rmtree(root / "basophil")
    shutil.rmtree(root / "monocyte")


def add_test_split(root):
    write(root / "test" / "a", range(3))


def add_unknown_class(root):
    write(root / "train" / "a", range(3))
    write(root / "train" / "b", range(3))
    write(root / "test" / "c", range(3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (make_empty_class, "neutrophil: holds no images; a class folder needs some, as bmp, gif"),
        (keep_one_class, "has 1 class folder; it needs two or more"),
        (add_test_split, "has test/ but no train/"),
        (add_pipe, "basophil/0.png (not a file, but a pipe, a device or the like)"),
        (add_endless_file, "basophil/0.png (not a file, but a pipe, a device or the like)"),
        (add_broken_link, "basophil/0.png (cannot be read: No such file or directory)"),
        (add_class_that_is_a_link_to_another, "its images are those of"),
        (add_class_that_is_a_link_to_all, "its images are those of"),
        (add_class_that_is_a_link_to_itself, "neutrophil: cannot be read (Too many levels of symbolic links)"),
        (use_the_training_images_for_the_test, "test/a: its images are those of"),
        (add_link_to_a_folder, "basophil/more: a link to a folder, which is not followed"),
        (add_name_of_another_encoding, ".png (its name is not UTF-8)"),
        (add_class_of_another_encoding, "the name of a class has letters that cannot be shown"),
        (add_class_with_a_line_break, "the name of a class has letters that cannot be shown"),
        (add_bomb, "images cannot be used: basophil/0.png (it has more than 89,478,485 pixels; make it smaller)"),
        (add_later_bomb, "images cannot be used: basophil/z.png (it has more than 89,478,485 pixels; make it smaller)"),
        (add_program_under_the_name_of_an_image, "images cannot be used: basophil/z.png (cannot identify image file"),
        (give_a_test_split_of_one_class, "all images of the test split have the same class"),
        (add_unknown_class, "test/c: the training split has no class folder of that name"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said_in_one_line(unsplit, context, change, message):
    change(unsplit)

    for act in ("info", "load"):
        with pytest.raises(DataError) as caught:
            getattr(folder(context, path=unsplit), act)()
        assert message in str(caught.value)
        assert str(unsplit) in str(caught.value)
        assert "\n" not in printable(str(caught.value))


def test_parameters_that_contradict_the_folder(unsplit, context):
    with pytest.raises(DataError, match="3 classes; the task 'binary' needs two"):
        folder(context, path=unsplit, task="binary").info()
    with pytest.raises(DataError, match="leave no images for training"):
        folder(context, path=unsplit, validation=0.5, test=0.5)
    with pytest.raises(DataError, match="the val split is empty; raise the fraction 'validation'"):
        folder(context, path=unsplit, validation=0).info()


def test_a_file_is_not_a_folder(tmp_path, context):
    (tmp_path / "a.npz").write_text("")

    with pytest.raises(DataError, match="a file, not a folder of images"):
        folder(context, path=tmp_path / "a.npz").info()
