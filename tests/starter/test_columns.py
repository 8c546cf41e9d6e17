"""Which column means what: taken where it is plain, asked for where it is not."""

from __future__ import annotations

import shlex

import pytest

from medssl_bench.datasets.table.reading import read_table
from medssl_bench.errors import UserError
from medssl_bench.starter.columns import Asked, find_columns

ROWS = 24


@pytest.fixture
def make(tmp_path):
    """Write a table with some columns, and the files that its column `file` names."""

    def write(columns, *, folder="", separator=",", name="table.csv"):
        (tmp_path / folder).mkdir(exist_ok=True)
        for file in columns.get("file", []):
            (tmp_path / folder / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / file).write_bytes(b"")
        rows = zip(*columns.values(), strict=True)
        lines = [separator.join(columns), *(separator.join(map(str, row)) for row in rows)]
        (tmp_path / name).write_text("\n".join(lines) + "\n", "utf-8")
        return read_table(tmp_path / name, None)

    return write


FILES = [f"{n:02}.png" for n in range(ROWS)]
CLASSES = ["sick", "well"] * (ROWS // 2)
PATIENTS = [f"p{n // 4}" for n in range(ROWS)]


def test_a_plain_table_needs_no_options(make, tmp_path):
    found = find_columns(make({"file": FILES, "diagnosis": CLASSES, "patient_id": PATIENTS}), Asked())
    assert (found.image.name, found.image.root, found.label, found.group, found.split) == (
        "file", tmp_path, "diagnosis", "patient_id", None,
    )  # fmt: skip
    assert any("--label" in line for line in found.lines), "which option decides is said"
    assert any("--group" in line for line in found.lines)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_separator_is_seen(make, separator):
    table = make({"diagnosis": CLASSES, "age, years": range(ROWS), "file": FILES} if separator != "," else
                 {"diagnosis": CLASSES, "file": FILES}, separator=separator)  # fmt: skip
    assert find_columns(table, Asked()).image.name == "file"


def test_images_in_a_folder_beside_the_table_are_found(make, tmp_path):
    found = find_columns(make({"file": FILES, "label": CLASSES}, folder="scans"), Asked())
    assert found.image.root == tmp_path / "scans"


def test_paths_without_an_ending_are_found(make, tmp_path):
    columns = {"id": [name.removesuffix(".png") for name in FILES], "label": CLASSES}
    for name in FILES:
        (tmp_path / name).write_bytes(b"")
    found = find_columns(make(columns), Asked())
    assert (found.image.name, found.image.ending) == ("id", ".png")


def test_absolute_paths_are_found(make, tmp_path):
    for name in FILES:
        (tmp_path / name).write_bytes(b"")
    found = find_columns(make({"path": [tmp_path / name for name in FILES], "label": CLASSES}), Asked())
    assert (found.image.name, found.image.root) == ("path", tmp_path)


def test_masks_beside_images_are_no_images(make, tmp_path):
    masks = [name.replace(".png", "_m.png") for name in FILES]
    for name in masks:
        (tmp_path / name).write_bytes(b"")
    assert find_columns(make({"file": FILES, "mask": masks, "label": CLASSES}), Asked()).image.name == "file"


def test_a_split_by_name_is_seen(make):
    splits = ["train"] * 12 + ["valid"] * 6 + ["Test"] * 6
    assert find_columns(make({"file": FILES, "label": CLASSES, "set": splits}), Asked()).split == "set"


def test_folds_are_told_and_not_used(make):
    table = make({"file": FILES, "label": CLASSES, "fold": [n % 5 for n in range(ROWS)]})
    found = find_columns(table, Asked())
    assert found.split is None
    assert any("--split fold" in line for line in found.lines)


def test_without_a_patient_it_says_so(make):
    found = find_columns(make({"file": FILES, "label": CLASSES}), Asked())
    assert any(line.startswith("groups: no column") for line in found.lines)


def test_patients_with_blanks_are_asked_about(make):
    columns = {"file": FILES, "label": CLASSES, "patient": ["", *PATIENTS[1:]]}
    with pytest.raises(UserError, match=r"'patient' looks like patients, and is blank in 1 row.*--group none"):
        find_columns(make(columns), Asked())
    assert find_columns(make(columns), Asked(group="none")).group is None


def test_a_patient_of_each_image_is_no_group(make):
    table = make({"file": FILES, "label": CLASSES, "patient": range(ROWS)})
    assert find_columns(table, Asked()).group is None


@pytest.mark.parametrize(
    ("columns", "asked", "message"),
    [
        ({"file": FILES, "sex": CLASSES, "view": CLASSES}, Asked(), r"which column has the labels\? 'sex' .*--label"),
        ({"file": FILES, "label": CLASSES, "dx": CLASSES}, Asked(), "which column has the labels"),
        ({"file": FILES, "Edema": [0, 1] * 12, "Mass": [1, 1, 0] * 8}, Asked(), "--label Edema --label Mass"),
        ({"file": FILES, "age": range(ROWS)}, Asked(), "no column looks like classes"),
        ({"label": CLASSES, "n": range(ROWS)}, Asked(), "no column has paths of images .*--image"),
        ({"file": FILES, "label": CLASSES}, Asked(label=("lable",)), "no column 'lable'"),
        ({"file": FILES, "label": CLASSES}, Asked(image="picture"), "no column 'picture'"),
        ({"file": FILES, "label": CLASSES}, Asked(group="patient"), "no column 'patient'"),
        ({"file": FILES, "a": CLASSES}, Asked(label=("a",), group="a"), "'a': --group and --label both name it; each"),
        ({"file": FILES, "a": CLASSES}, Asked(label=("a", "a")), "column 'a': --label names it twice"),
    ],
)
def test_what_is_not_clear_is_asked_for(make, columns, asked, message):
    with pytest.raises(UserError, match=message):
        find_columns(make(columns), asked)


def test_two_columns_of_images_are_asked_for(make, tmp_path):
    left = [f"left/{name}" for name in FILES]
    (tmp_path / "left").mkdir()
    for name in left:
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(UserError, match=r"'file', 'other' all have paths of images; say --image"):
        find_columns(make({"file": FILES, "other": left, "label": CLASSES}), Asked())


def test_what_the_user_says_is_taken(make):
    table = make({"file": FILES, "a": CLASSES, "b": [0, 1] * 12, "c": [1, 0, 0] * 8, "who": PATIENTS})
    found = find_columns(table, Asked(label=("b", "c"), group="who"))
    assert (found.label, found.group) == (("b", "c"), "who")


def test_what_is_proposed_can_be_pasted_into_a_shell(make):
    binary = [n % 2 for n in range(ROWS)]
    columns = {"file": FILES, "Crohn's": binary, "lung mass": binary[::-1], "Edema": [n % 3 % 2 for n in range(ROWS)]}

    with pytest.raises(UserError) as refused:
        find_columns(make(columns), Asked())

    proposed = str(refused.value).split("; or ")[1].split(" if they are")[0]
    assert shlex.split(proposed) == ["--label", "Crohn's", "--label", "lung mass", "--label", "Edema"]
