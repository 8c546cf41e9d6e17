"""Tables of images as people have them: read as they are meant, or refused with file, row and column."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from medssl_bench.datasets import DatasetContext, Task
from medssl_bench.datasets.folder.factory import folder
from medssl_bench.datasets.table.factory import table
from medssl_bench.datasets.table.splits import drawn_places
from medssl_bench.errors import DataError, printable

GRADES = ["mild", "none", "severe"]


def rows(count=120):
    """Return rows of 40 patients with three images each."""
    return [
        {
            "file": f"img/{i:03}.png",
            "grade": GRADES[i // 3 % 3],
            "patient": f"Smith{i // 3}",
            "view": ["PA", "AP", "lateral"][i % 3],
            "Edema": i % 2,
            "Mass": int(i % 5 == 0),
            "set": ["train", "train", "train", "valid", "test"][i // 3 % 5],
        }
        for i in range(count)
    ]


@pytest.fixture
def images(tmp_path):
    """Write an image for each row, whose level says its grade."""
    rng = np.random.default_rng(0)
    (tmp_path / "img").mkdir()
    for i in range(120):
        pixels = rng.integers(0, 80, (12, 12)) + 60 * (i // 3 % 3)
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "img" / f"{i:03}.png")
    return tmp_path


def save(folder_path, data, name="t.csv"):
    frame, path = pd.DataFrame(data), folder_path / name
    if name.endswith("parquet"):
        frame.to_parquet(path)
    elif name.endswith("jsonl"):
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, sep={"tsv": "\t", "semi.csv": ";"}.get(name.partition(".")[2], ","))
    return path


@pytest.fixture
def make(images, tmp_path_factory):
    aside = tmp_path_factory.mktemp("aside")
    context = DatasetContext(aside / "data", aside / "cache")

    def make(data=None, name="t.csv", **options):
        path = save(images, rows() if data is None else data, name)
        return table(context, path=path, **{"image": "file", "label": "grade", "size": 12, **options})

    return make


def refusal(dataset):
    with pytest.raises(DataError) as caught:
        dataset.info()
    line = printable(str(caught.value))
    assert "\n" not in line
    return line


@pytest.mark.parametrize("name", ["t.csv", "t.semi.csv", "t.tsv", "t.jsonl", "t.parquet", "t.csv.gz"])
def test_every_kind_of_table_says_the_same(make, name):
    dataset, plain = make(name=name), make(name="plain.csv")

    info = dataset.info()

    assert (info.task, info.classes, info.channels) == (Task.MULTI_CLASS, tuple(GRADES), 1)
    assert info.counts == {"train": 84, "val": 12, "test": 24}
    assert (info.class_counts, info.test_class_counts) == (plain.info().class_counts, (8, 8, 8))
    assert dataset.fingerprint() == plain.fingerprint()
    for split in dataset.load().values():
        level = split.images.reshape(len(split), -1).mean(axis=1)
        np.testing.assert_array_equal(split.labels[:, 0], np.rint((level - 40) / 60))


def test_splits_of_a_column(make):
    dataset = make(split="set", group="patient")

    assert dataset.info().counts == {"train": 72, "val": 24, "test": 24}
    assert "read 'valid' as val" in dataset.info().notes
    for name, split in dataset.load().items():
        own = [i for i, row in enumerate(rows()) if row["set"] == {"val": "valid"}.get(name, name)]
        assert split.labels[:, 0].tolist() == [GRADES.index(rows()[i]["grade"]) for i in own]
        assert len(set(split.groups.tolist())) == len(own) // 3


def test_folds_of_a_column(make):
    data = [{**row, "fold": i // 3 % 5} for i, row in enumerate(rows())]

    line = refusal(make(data, split="fold"))
    assert "row 2, column 'fold': '0' is not the name of a split; say splits = { train = [...]" in line
    info = make(data, split="fold", splits={"train": ["0", "1", "2"], "test": "4"}).info()
    assert info.counts["test"] == 24
    assert info.counts["train"] + info.counts["val"] == 72
    assert "left out: 24 rows whose 'fold' is in no split" in info.notes
    assert "has no '7'" in refusal(make(data, split="fold", splits={"train": "7"}))


def test_drawn_splits_part_no_patient(make):
    dataset = make(group="patient")

    groups = [set(split.groups.tolist()) for split in dataset.load().values()]

    assert len(set.union(*groups)) == sum(map(len, groups)) == 40
    assert "40 groups by 'patient'" in dataset.info().notes
    assert "Smith" not in str(dataset.info()) + str(dataset.fingerprint())


def test_given_splits_that_share_patients_are_refused_or_allowed_by_name(make):
    data = [{**row, "set": ["train", "val", "test"][i % 3]} for i, row in enumerate(rows())]

    line = refusal(make(data, split="set", group="patient"))
    assert "column 'patient': its group has train and test images, as 40 groups have" in line
    assert "Smith" not in line
    assert make(data, split="set", group="patient", shared_groups=True).info().counts["test"] == 40


def test_filters(make):
    info = make(where={"view": ["PA", "AP"]}).info()

    assert sum(info.counts.values()) == 80
    assert "left out: 40 rows whose 'view' is not PA or AP" in info.notes
    assert not any("no row of the table" in note for note in info.notes), "their images are in the table"
    assert "no row has 'PAA' (did you mean 'PA'?)" in refusal(make(where={"view": "PAA"}))
    assert sum(make(where={"Edema": 1}).info().counts.values()) == 60


def test_several_labels(make):
    dataset = make(label=["Edema", "Mass"])
    info = dataset.info()

    assert (info.task, info.classes, info.class_counts) == (Task.MULTI_LABEL, ("Edema", "Mass"), None)
    total = sum(split.labels.sum(axis=0) for split in dataset.load().values())
    assert total.tolist() == [60, 24]
    assert any(re.fullmatch(r"test: Edema: \d+, Mass: \d+", note) for note in info.notes)


def chexpert():
    """Return rows with blanks and -1."""
    return [{**row, "Edema": ["1.0", "0.0", "", "-1.0"][i % 4]} for i, row in enumerate(rows())]


@pytest.mark.parametrize(
    ("blank", "uncertain", "kept", "positives"),
    [
        ("negative", "negative", 120, 30),
        ("negative", "positive", 120, 60),
        ("leave_out", "positive", 90, 60),
        ("negative", "leave_out", 90, 30),
        ("leave_out", "leave_out", 60, 30),
    ],
)
def test_blanks_and_minus_one_by_the_rule_that_the_suite_chooses(make, blank, uncertain, kept, positives):
    dataset = make(chexpert(), label=["Edema", "Mass"], blank=blank, uncertain=uncertain)

    info, splits = dataset.info(), dataset.load()

    assert sum(info.counts.values()) == kept
    assert sum(split.labels[:, 0].sum() for split in splits.values()) == positives
    notes = " ".join(info.notes)
    assert "30 labels are blank" in notes
    assert "30 labels are -1" in notes


def test_blanks_and_minus_one_are_never_taken_silently(make):
    assert "row 4, column 'Edema': blank; say what that means" in refusal(make(chexpert(), label=["Edema", "Mass"]))
    line = refusal(make(chexpert(), label=["Edema", "Mass"], blank="negative"))
    assert "row 5, column 'Edema': -1, which CheXpert writes where it is uncertain; say uncertain" in line
    data = [{**row, "Edema": "maybe" if i == 7 else 1} for i, row in enumerate(rows())]
    assert "row 9, column 'Edema': 'maybe' is not 0 or 1" in refusal(make(data, label=["Edema", "Mass"]))


def test_labels_joined_in_one_cell(make):
    cells = ["No Finding", "Effusion|Mass", "Mass"]
    data = [{**row, "found": cells[i % 3]} for i, row in enumerate(rows())]

    assert 'hold several labels; say separator = "|"' in refusal(make(data, label="found"))
    dataset = make(data, label="found", separator="|", negative="No Finding")
    assert dataset.info().classes == ("Effusion", "Mass")
    assert sum(split.labels.sum(axis=0) for split in dataset.load().values()).tolist() == [40, 80]
    data[3]["found"] = "No Finding|Mass"
    assert "row 5, column 'found': 'No Finding' beside other labels" in refusal(
        make(data, label="found", separator="|", negative="No Finding")
    )


def test_ordinal_needs_an_order(make):
    assert "the order of mild, none, severe is not known" in refusal(make(task="ordinal"))
    info = make(task="ordinal", classes=["none", "mild", "severe"]).info()
    assert (info.task, info.classes) == (Task.ORDINAL, ("none", "mild", "severe"))
    assert "ordinal, from the lowest: none, mild, severe" in info.notes
    data = [{**row, "grade": f"grade {GRADES.index(row['grade']) + 9}"} for row in rows()]
    assert make(data, task="ordinal").info().classes == ("grade 9", "grade 10", "grade 11")


def test_rows_without_a_label(make):
    data = [{**row, "grade": "" if i < 30 else row["grade"]} for i, row in enumerate(rows())]

    assert "row 2, column 'grade': blank, as 30 of 120 rows are; say blank" in refusal(make(data))
    info = make(data, blank="leave_out").info()
    assert sum(info.counts.values()) == 90
    assert "left out: 30 rows with no 'grade'" in info.notes
    with pytest.raises(DataError, match='takes "leave_out"'):
        make(data, blank="negative")


def test_none_and_na_are_names_and_nan_is_blank(make):
    names = {"mild": "None", "none": "NA", "severe": "bad"}
    data = [{**row, "grade": names[row["grade"]]} for row in rows()]

    assert make(data).info().classes == ("NA", "None", "bad")
    data[0]["grade"] = "NaN"
    assert "row 2, column 'grade': blank, as 1 of 120" in refusal(make(data))


def test_missing_images_are_counted_and_listed(make, images):
    for i in (4, 5, 6, 90):
        (images / "img" / f"{i:03}.png").unlink()

    line = refusal(make())

    assert "row 6, column 'file': there is no" in line
    assert "img/004.png; 4 of 120 images are missing (all in " in line
    listed = Path(re.search(r"all in (.*?)\)", line)[1]).read_text().splitlines()
    assert listed == [f"img/{i:03}.png" for i in (4, 5, 6, 90)]
    info = make(missing="leave_out").info()
    assert sum(info.counts.values()) == 116
    assert "left out: 4 rows whose image is not there" in info.notes


def test_unreadable_images_are_told_together(make, images):
    for i in range(7):
        (images / "img" / f"{i:03}.png").write_text("text")

    line = refusal(make())

    assert "7 of 120 images cannot be used: img/000.png (" in line
    assert len(Path(re.search(r"all in (.*?)\)", line)[1]).read_text().splitlines()) == 7


def test_names_without_an_ending_and_in_several_folders(make, images):
    (images / "part_1").mkdir()
    (images / "part_2").mkdir()
    for i in range(120):
        (images / "img" / f"{i:03}.png").rename(images / f"part_{1 + i % 2}" / f"id_{i:03}.png")
    data = [{**row, "file": f"id_{i:03}"} for i, row in enumerate(rows())]

    assert 'say ending = ".png"' in refusal(make(data, root=images / "part_1"))
    dataset = make(data, folders=["part_1", "part_2"], ending=".png")
    assert sum(dataset.info().counts.values()) == 120
    (images / "part_1" / "id_001.png").write_bytes((images / "part_2" / "id_001.png").read_bytes())
    line = refusal(make(data, folders=["part_1", "part_2"], ending=".png"))
    assert "row 3, column 'image': id_001.png is in part_1 and in part_2" in line


def test_images_that_no_row_names_are_counted(make):
    info = make(rows(100)).info()

    assert "left out: 20 images that no row of the table names, in img/" in info.notes


def test_an_image_in_two_rows(make):
    data = [*rows(), rows()[0]]
    assert "1 rows name an image again, with the same label; it is read once" in make(data).info().notes
    data[-1] = {**data[0], "grade": "severe"}
    assert "row 122, column 'file': img/000.png is in row 2 too, with another label" in refusal(make(data))


def test_columns_that_are_no_labels(make):
    assert "look like patients" in refusal(make(label="patient"))
    assert "has no column 'grad' ('label') (did you mean 'grade'?); it has file, grade" in refusal(make(label="grad"))
    assert "needs label = [...]" in refusal(make(task="multi-label"))
    assert "the task 'binary' needs two" in refusal(make(task="binary"))
    data = [{**row, "grade": "Mild" if i == 0 else row["grade"]} for i, row in enumerate(rows())]
    assert "'Mild' and 'mild' differ in case or spaces alone" in refusal(make(data))
    data = [{**row, "grade": "worse" if i == 9 else row["grade"]} for i, row in enumerate(rows())]
    assert "row 11, column 'grade': 'worse' is none of 'classes'" in refusal(make(data, classes=GRADES))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no columns to parse"),
        ("file,grade\n", "has no rows"),
        ("file,grade\na,b,c,d\n", "expected 2 fields in line 2, saw 4"),
        ("file,grade,grade\na,b,c\n", "has the column 'grade' twice"),
        ("file,grade\n\xe9,b\n", "not in UTF-8"),
        ('file,grade\n"a,b\n', "EOF inside string"),
    ],
)
def test_tables_that_are_none(make, images, text, what):
    dataset = make()
    (images / "t.csv").write_bytes(text.encode("latin-1"))

    assert what.casefold() in refusal(dataset).casefold()


def test_json_and_parquet_that_are_none(make, images):
    lines, parquet = make(name="t.jsonl"), make(name="t.parquet")
    (images / "t.jsonl").write_text('{"file": "a"}\n\n{"file":\n')
    (images / "t.parquet").write_text("text")

    assert "row 3: not JSON" in refusal(lines)
    assert "not a Parquet file" in refusal(parquet)
    lists = make([{"file": ["a"], "grade": "b"}], name="u.jsonl")
    assert "row 1, column 'file': holds a list" in refusal(lists)


def test_windows_paths_and_paths_below_the_root(make, images):
    data = [{**row, "file": row["file"].replace("/", "\\")} for row in rows()]
    assert make(data).fingerprint() == make().fingerprint()
    data = [{**row, "file": str(images / row["file"])} for row in rows()]
    assert make(data).fingerprint() == make().fingerprint()
    data = [{**row, "file": "/nowhere/" + row["file"]} for row in rows()]
    assert "row 2, column 'file': /nowhere/img/000.png is not below" in refusal(make(data))


def test_the_fingerprint_is_of_what_is_read(make, images):
    first = make().fingerprint()

    data = [{"more": i, **row} for i, row in enumerate(rows())]
    assert make(data).fingerprint() == first, "a column that is not read changes nothing"
    data[0]["grade"] = "severe"
    assert make(data).fingerprint() != first
    assert make(seed=1).fingerprint() != first
    assert make(group="patient").fingerprint() != first
    Image.new("L", (12, 12)).save(images / "img" / "000.png")
    assert make().fingerprint() != first


def test_pixels_and_choices_are_those_of_a_folder(make, images, context):
    for i, row in enumerate(rows()):
        (images / "sorted" / row["grade"]).mkdir(parents=True, exist_ok=True)
        values = (np.arange(240).reshape(12, 20) * (i + 1) % 1500 - 400).astype(np.int16)
        tifffile.imwrite(images / "sorted" / row["grade"] / f"{i:03}.tif", values)
    data = [{**row, "file": f"sorted/{row['grade']}/{i:03}.tif"} for i, row in enumerate(rows())]
    chosen = {"size": 12, "range": [-400, 1100], "fit": "pad"}

    tabled = make(data, **chosen).load().values()
    in_folder = folder(context, path=images / "sorted", **chosen).load().values()

    first, second = (
        sorted(image.tobytes() for split in splits for image in split.images) for splits in (tabled, in_folder)
    )
    assert first == second
    assert "negative pixels" in refusal(make(data))


def test_options_that_contradict_each_other(make):
    for options, what in (
        ({"splits": {"train": "0"}}, "'splits' needs 'split'"),
        ({"negative": "none"}, "'negative' needs 'separator'"),
        ({"validation": 0.5, "test": 0.5}, "leave no images for training"),
    ):
        with pytest.raises(DataError, match=what):
            make(**options)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    groups=st.lists(st.integers(0, 30), min_size=20, max_size=120),
    classes=st.integers(2, 4),
    seed=st.integers(0, 5),
    grouped=st.booleans(),
)
def test_drawn_splits_share_out_all_rows(groups, classes, seed, grouped):
    labels = np.arange(len(groups)) % classes
    own = np.array(groups) if grouped else None

    if grouped and len(set(groups)) < 3:
        with pytest.raises(DataError, match="cannot be shared out to 3 splits"):
            drawn_places(labels, own, seed, {"test": 0.2, "val": 0.1})
        return
    places = drawn_places(labels, own, seed, {"test": 0.2, "val": 0.1})

    assert sorted(np.concatenate(list(places.values())).tolist()) == list(range(len(groups)))
    if grouped:
        sets = [set(own[part].tolist()) for part in places.values()]
        assert sum(map(len, sets)) == len(set(groups))
    again = drawn_places(labels, own, seed, {"test": 0.2, "val": 0.1})
    assert all((places[split] == again[split]).all() for split in places)
