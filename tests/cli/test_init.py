"""``init``: from images as users have them to a suite that validates, plans and runs as it is."""

from __future__ import annotations

import csv
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medssl_bench.datasets.phantoms.factories import phantom_cells

MOST_COLUMNS = 80


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def noise(count, *, size=32, seed=0, top=256, dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, top, (count, size, size)).astype(dtype)


def save(pixels, file):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)


def write_table(file="labels.csv", *, count=48, folder="scans", top=256, dtype=np.uint8, more=None):
    """Write a table of images of two classes, four of each patient, with columns beside these."""
    rows = []
    for number, pixels in enumerate(noise(count, top=top, dtype=dtype)):
        save(pixels, Path(file).parent / folder / f"{number:03}.png")
        kind = ["sick", "well"][number % 2]
        extra = {name: values[number] for name, values in (more or {}).items()}
        rows.append({"file": f"{folder}/{number:03}.png", "diagnosis": kind, "patient": f"p{number // 4}", **extra})
    with Path(file).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_folder(root, counts, *, split="", name="{0:03}.png"):
    seed = len(str(root)) + len(split)
    for kind, count in counts.items():
        for number, pixels in enumerate(noise(count, seed=seed + len(kind))):
            save(pixels, Path(root, split, kind, name.format(number)))


def left_behind():
    return [path.name for path in Path().iterdir() if path.name.startswith(".") or path.suffix == ".toml"]


def suite(file="suite.toml"):
    return tomllib.loads(Path(file).read_text("utf-8"))


def test_a_table_and_unlabelled_images_make_a_suite_that_takes_the_time(cli, monkeypatch):
    """As a research group has them: cells with patients, more of them without labels, and a time.

    docs/tutorial/your-own-images.md, which is a test too, runs such a suite, and goes on to a report.
    """
    cells = phantom_cells(None, train=48, val=16, test=16, per_patient=4, unlabelled=60)
    info, rows = cells.info(), []
    for split, part in cells.load().items():
        for number, (pixels, label, group) in enumerate(zip(part.images, part.labels, part.groups, strict=True)):
            save(pixels, Path("labelled", f"{split}{number}.png"))
            rows.append([f"labelled/{split}{number}.png", info.classes[label[0]], f"{split}{group}"])
    for number, pixels in enumerate(cells.load_unlabelled().images):
        save(pixels, Path("archive", f"{number}.png"))
    with Path("cells.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["file", "kind of cell", "patient"], *rows])
    monkeypatch.setenv("COLUMNS", str(MOST_COLUMNS))
    told = cli("init", "cells.csv", "--unlabelled", "archive", "--hours", "0.01", "--rough", "--label", "kind of cell")
    assert told.status == 0, told.err
    assert max(map(len, told.out.splitlines())) <= MOST_COLUMNS
    of_the_suite = told.out.partition(": written\n")[2]
    assert all(line.startswith("  ") for line in of_the_suite.splitlines() if line), "a line goes on below its text"
    assert of_the_suite.endswith("\n  medssl-bench report suite.toml\n")
    assert re.search(r"^ +images +\d+ +\d+ +\d+$", told.out, re.MULTILINE)
    written = suite()
    assert [part["name"] for part in written["dataset"].values()] == ["table", "images"]
    assert cli("validate", "suite.toml").status == 0
    planned = cli("plan", "suite.toml")
    assert planned.status == 0
    time = re.search(r"about (.*? s)\b", planned.out)[1]
    assert f"about {time}" in " ".join(told.out.split()), "the time is that of plan"
    assert f"about {time}" in Path("suite.toml").read_text("utf-8")
    for arm in ("majority", "untrained", "supervised", "supervised + augmentation", "SimCLR + linear probe"):
        assert arm in planned.out


def test_a_folder_with_patients_in_its_names(cli):
    write_folder("photos", {"benign": 24, "malign": 24})
    for file in sorted(Path("photos").rglob("*.png")):
        file.rename(file.with_name(f"p{int(file.stem) // 3:02}_{file.stem}.png"))
    told = cli("init", "photos")
    assert told.status == 0, told.err
    assert "8 by names such as 'p00'" in told.out
    assert suite()["dataset"]["photos"]["groups"]
    checked = cli("validate", "suite.toml")
    assert checked.status == 0, checked.err
    assert re.search(r"train: \d+ of \d groups", checked.out)


def test_an_npz_file_and_a_set_by_its_name(cli):
    arrays = {}
    for split, count in (("train", 40), ("val", 12), ("test", 12)):
        arrays |= {f"{split}_images": noise(count, size=28, seed=count), f"{split}_labels": np.arange(count) % 3}
    np.savez("grades.npz", **arrays, unlabelled_images=noise(30, size=28, seed=9))
    told = cli("init", "grades.npz", "-o", "a.toml")
    assert told.status == 0, told.err
    assert "--task ordinal if they are grades" in " ".join(told.out.split())
    assert cli("init", "grades.npz", "--task", "ordinal", "-o", "b.toml").status == 0
    assert suite("b.toml")["dataset"]["grades"]["task"] == "ordinal"
    assert cli("init", "phantom_layers", "--set", "train=60", "--unlabelled", "grades.npz", "-o", "c.toml").status == 2
    np.save("more.npy", arrays["train_images"])
    named = cli("init", "phantom_layers", "--set", "train=60", "--unlabelled", "more.npy", "-o", "d.toml")
    assert named.status == 0, named.err
    for file in ("a.toml", "b.toml", "d.toml"):
        assert cli("validate", file).status == 0


def test_labels_by_several_columns(cli):
    rng = np.random.default_rng(0)
    write_table(more={"Edema": rng.integers(0, 2, 48), "Mass": rng.integers(0, 2, 48)})
    told = cli("init", "labels.csv", "--label", "Edema", "--label", "Mass")
    assert told.status == 0, told.err
    assert "multi-label, 2 classes" in told.out
    assert cli("validate", "suite.toml").status == 0


def test_rows_without_a_label_are_pretrained_on(cli):
    write_table(more={"grade": ["", "low", "high"] * 16})
    told = cli("init", "labels.csv", "--label", "grade")
    assert told.status == 0, told.err
    assert "16 rows without a label are pretrained on" in " ".join(told.out.split())
    assert suite()["dataset"]["labels"]["blank"] == "unlabelled"
    checked = cli("validate", "suite.toml")
    assert checked.status == 0, checked.err
    assert re.search(r"unlabelled: \d+", checked.out)


def test_the_arms_that_are_commented_out_are_valid_too(cli):
    write_table()
    assert cli("init", "labels.csv").status == 0
    text = Path("suite.toml").read_text("utf-8")
    assert "ImageNet weights (45 MB) are not on this machine" in text
    start = text.index("# ImageNet weights")
    whole = re.sub(r"^# (?=\[encoder|name =|weights =)", "", text[:start], flags=re.MULTILINE)
    whole += re.sub(r"^# ?", "", "".join(text[start:].splitlines(keepends=True)[2:]), flags=re.MULTILINE)
    Path("whole.toml").write_text(whole, "utf-8")
    assert [arm["name"] for arm in suite("whole.toml")["comparison"][0]["arm"]][-2:] == [
        "ImageNet + linear probe", "ImageNet + fine-tuning",
    ]  # fmt: skip
    checked = cli("validate", "whole.toml")
    assert checked.status == 0, checked.err


@pytest.mark.parametrize(
    "name", ["a \"b\" 'c'", "zellen äöü 細胞", "~home", "[x] *?", "line\nbreak", "a\\b", "#1", "-o"]
)
def test_paths_of_any_letters(name, cli):
    Path(name).mkdir()
    write_table(f"{name}/{name}.csv", count=24)
    Path("suites here").mkdir()
    told = cli("init", "--output", "suites here/s.toml", "--", f"{name}/{name}.csv")
    assert told.status == 0, told.err
    checked = cli("validate", "suites here/s.toml")
    assert checked.status == 0, checked.err
    assert cli("plan", "suites here/s.toml").status == 0


def test_labelled_images_among_the_unlabelled_are_left_out(cli):
    write_table(folder="all/labelled")
    for number, pixels in enumerate(noise(30, seed=5)):
        save(pixels, Path("all", f"{number}.png"))
    told = cli("init", "labels.csv", "--unlabelled", "all")
    assert told.status == 0, told.err
    assert suite()["dataset"]["all"]["leave_out"] == ["./labelled"]
    assert re.search(r"^all: 30 images, no labels", told.out, re.MULTILINE)
    Path("all/labelled/extra.png").write_bytes(Path("all/0.png").read_bytes())
    told = cli("init", "labels.csv", "--unlabelled", "all", "-o", "again.toml")
    assert len(suite("again.toml")["dataset"]["all"]["leave_out"]) == 48
    assert re.search(r"^all: 31 images, no labels", told.out, re.MULTILINE)
    assert cli("validate", "again.toml").status == 0


def test_copies_are_told(cli):
    write_table()
    for number, pixels in enumerate(noise(48)):
        save(pixels, Path("archive", f"{number}.png"))
    told = cli("init", "labels.csv", "--unlabelled", "archive")
    assert "of archive are copies of test images" in " ".join(told.out.split())
    for number in range(24, 48):  # of other patients
        save(noise(48)[number - 24], Path(f"scans/{number:03}.png"))
    told = cli("init", "labels.csv", "-o", "again.toml")
    assert re.search(r"warning: \d+ of \d+ test images (are|is a) cop", " ".join(told.out.split()))


def test_a_class_of_one_image_and_no_validation_part(cli):
    write_folder("photos", {"benign": 20, "malign": 20, "rare": 1}, split="train")
    write_folder("photos", {"benign": 8, "malign": 8}, split="test")
    told = cli("init", "photos")
    assert told.status == 0, told.err
    assert "the test split has no image of 'rare'" in told.out
    assert cli("validate", "suite.toml").status == 0


def test_values_of_twelve_bits(cli):
    write_table(top=4096, dtype=np.uint16)
    told = cli("init", "labels.csv")
    assert told.status == 2
    assert "say range = [0, 4095]" in told.err
    assert "(here: --range 0,4095 or --range percentile)" in told.err
    assert len(told.err.splitlines()) <= 2
    assert left_behind() == []
    told = cli("init", "labels.csv", "--range", "0,4095")
    assert told.status == 0, told.err
    assert "files: 16 bits, grey" in told.out
    assert suite()["dataset"]["labels"]["range"] == [0, 4095]
    assert cli("validate", "suite.toml").status == 0


def test_of_many_images_some_are_looked_at(cli, monkeypatch):
    monkeypatch.setattr("medssl_bench.starter.begin.READ_MOST", 40)
    write_table()
    told = cli("init", "labels.csv")
    assert told.status == 0, told.err
    assert "copies: not looked for" in told.out
    assert not (Path("cache") / "medssl-bench" / "folders").exists(), "no image was read for good"
    assert cli("validate", "suite.toml").status == 0
    write_table("deep.csv", folder="deep", top=4096, dtype=np.uint16)
    told = cli("init", "deep.csv", "-o", "deep.toml")
    assert (told.status, "say range = [0, 4095]" in told.err) == (2, True)


def test_nothing_is_overwritten(cli):
    write_table()
    Path("suite.toml").write_text("mine")
    told = cli("init", "labels.csv")
    assert told.status == 2
    assert "is there already" in told.err
    assert Path("suite.toml").read_text() == "mine"
    assert cli("init", "labels.csv", "-o", "nowhere/suite.toml").status == 2
    assert not Path("nowhere").exists()


def _empty():
    Path("here").mkdir()


def _only_unlabelled():
    for number, pixels in enumerate(noise(5)):
        save(pixels, Path("here", f"{number}.png"))


def _only_test():
    write_folder("here", {"a": 5, "b": 5}, split="test")


def _broken():
    write_folder("here", {"a": 12, "b": 12})
    Path("here/a/003.png").write_bytes(b"no image")


def _missing():
    write_table("here")
    Path("here").rename("labels.csv")
    Path("scans/007.png").unlink()


def _two_validations():
    for split in ("train", "valid", "validation"):
        write_folder("here", {"a": 5, "b": 5}, split=split)


def _all_labelled():
    write_table()


def _folds():
    write_folder("here", {"fold_1": 5, "fold_2": 5})


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (_empty, ["here"], "here: holds no images"),
        (_only_unlabelled, ["here"], "5 images and no class folders.* --unlabelled here.*init bloodmnist"),
        (_only_test, ["here"], "no train/"),
        (_broken, ["here"], "1 of 24 images cannot be used: a/003.png"),
        (_missing, ["labels.csv"], r"row 9, column 'file'.*1 of 48 images are missing.*--set 'missing=.leave_out.'"),
        (_folds, ["here"], "look like parts or folds.*--set 'classes=\\[.fold_1.*\\]'"),
        (_two_validations, ["here"], 'here: --set \'splits={ train = "train", val = "valid" }\''),
        (_all_labelled, ["labels.csv", "--unlabelled", "scans"], "all its images have labels"),
        (lambda: None, ["here"], "no such file or folder"),
        (_empty, ["here", "--label", "a"], "--label.* are for a table"),
        (write_table, ["labels.csv", "--hours", "0.00001", "--rough"], "too short"),
        (write_table, ["labels.csv", "--hours", "-1"], "hours"),
        (write_table, ["labels.csv", "--range", "9"], "is not LOW,HIGH"),
        (write_table, ["labels.csv", "--set", "sizes=3"], "sizes"),
        (write_table, ["labels.csv", "--set", "size=64", "--set", 'where={patient="q"}'], "no row has 'q'"),
        (_only_unlabelled, ["archive.npy"], "no such file or folder"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_is_not_clear_ends_with_a_line(make, arguments, message, cli):
    make()
    told = cli("init", *arguments)
    assert told.status == 2
    (line,) = [line for line in told.err.splitlines() if line.startswith("error: ")]
    assert re.search(message, line), line
    assert left_behind() == []
