"""The table of predictions."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from medssl_bench.datasets import Task
from medssl_bench.datasets.new_images.arrays import NewArray
from medssl_bench.datasets.new_images.find import Found
from medssl_bench.datasets.new_images.kind import ImageKind
from medssl_bench.errors import UserError
from medssl_bench.models.prediction.classifier import Classifier
from medssl_bench.models.prediction.facts import Facts
from medssl_bench.models.prediction.write import heads, write_predictions

KIND = ImageKind(8, 1, None)


class _Means(nn.Module):
    """The mean of the image, and one: what a linear layer makes of them is known."""

    dim = 2

    def forward(self, images: Tensor) -> Tensor:
        mean = images.mean(dim=(1, 2, 3))
        return torch.stack([mean, torch.ones_like(mean)], dim=1)


def _classifier(slope: float = 1.0, classes: tuple[str, ...] = ("a", "b"), task: Task = Task.BINARY) -> Classifier:
    facts = Facts(task, classes, KIND, "float32", ())
    weight = torch.zeros(len(classes), 2)
    weight[0, 0] = slope
    return Classifier(_Means(), {"weight": weight, "bias": torch.zeros(len(classes))}, facts, torch.device("cpu"))


def _found(images: np.ndarray, folder: Path) -> Found:
    np.save(folder / "new.npy", images)
    return Found([NewArray(folder / "new.npy", None, KIND, folder / "cache")], [])


@given(st.lists(st.integers(0, 255), min_size=1, max_size=30), st.floats(-1e4, 1e4, width=32))
@settings(deadline=None, max_examples=50)
def test_each_image_has_its_own_row_and_the_text_of_a_number_is_the_number(
    tmp_path_factory: pytest.TempPathFactory, greys: list[int], slope: float
) -> None:
    folder = tmp_path_factory.mktemp("table")
    images = np.repeat(np.array(greys, np.uint8), 64).reshape(-1, 8, 8)
    classifier = _classifier(slope)
    assert write_predictions(classifier, _found(images, folder), folder / "out.csv") == len(greys)
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        first, *rows = csv.reader(file)
    assert first == ["path", "a", "b"]
    assert [row[0] for row in rows] == [f"{folder.as_posix()}/new.npy[{place}]" for place in range(len(greys))]
    read = np.array([row[1:] for row in rows], np.float64).astype(np.float32)
    assert np.array_equal(read, classifier.predict(images))
    wanted = 1 / (1 + np.exp(np.clip(-np.float64(slope) * np.array(greys) / 255, -700, 700)))
    np.testing.assert_allclose(read[:, 0], wanted, atol=1e-4)


def test_labels_of_one_image_are_independent(tmp_path: Path) -> None:
    classifier = _classifier(2.0, ("a", "b", "c"), Task.MULTI_LABEL)
    scores = classifier.predict(np.full((1, 8, 8), 255, np.uint8))
    np.testing.assert_allclose(scores, [[1 / (1 + np.exp(-2)), 0.5, 0.5]], atol=1e-6)


def test_numbers_that_are_not_finite_leave_no_table(tmp_path: Path) -> None:
    found = _found(np.zeros((3, 8, 8), np.uint8), tmp_path)
    with pytest.raises(UserError, match="not finite"):
        write_predictions(_classifier(float("nan")), found, tmp_path / "out.csv")
    assert {file.name for file in tmp_path.iterdir()} == {"new.npy"}


def test_a_table_that_comes_in_the_meantime_is_not_replaced(tmp_path: Path) -> None:
    classifier, output = _classifier(), tmp_path / "out.csv"
    predict = classifier.predict

    def and_meanwhile(images):
        output.write_text("mine", "utf-8")
        return predict(images)

    classifier.predict = and_meanwhile
    with pytest.raises(UserError, match="this is there already"):
        write_predictions(classifier, _found(np.zeros((3, 8, 8), np.uint8), tmp_path), output)
    assert output.read_text("utf-8") == "mine"
    assert {file.name for file in tmp_path.iterdir()} == {"new.npy", "out.csv"}


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="this cannot be written"):
        write_predictions(_classifier(), _found(np.zeros((3, 8, 8), np.uint8), tmp_path), tmp_path / "file" / "out.csv")


def test_no_class_has_the_name_of_the_first_column() -> None:
    assert heads(["a", "b"]) == ["path", "a", "b"]
    assert heads(["path", "_path"]) == ["__path", "path", "_path"]


def test_what_a_spreadsheet_would_compute_is_text(tmp_path: Path) -> None:
    write_predictions(
        _classifier(classes=("=1+1", "b")), _found(np.zeros((1, 8, 8), np.uint8), tmp_path), tmp_path / "o.csv"
    )
    assert (tmp_path / "o.csv").read_text("utf-8").startswith("path,'=1+1,b\n")
