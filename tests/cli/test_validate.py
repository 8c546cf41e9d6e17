"""What ``validate`` says of the data, and that runs and tables say it too."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from cli.conftest import SUITE
from PIL import Image

COPIES = "2 of 6 test images are copies of training images"

_HEAD = SUITE[: SUITE.index("  [[comparison.arm]]")].replace("draws = [0, 1]\n", "")
_ALL = _HEAD.replace('baseline = "supervised"\n', "").replace('labels = [20, "all"]', 'labels = ["all"]')
QUICK = f'{_ALL}  [[comparison.arm]]\n  name = "neighbours"\n  evaluator = "knn"\n'


@pytest.fixture
def leaky(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a suite on a set with two test images that it trains on, too, and a training image twice."""
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 30), ("val", 6), ("test", 6)):
        arrays[f"{split}_images"] = rng.integers(0, 255, (count, 28, 28), dtype=np.uint8)
        arrays[f"{split}_labels"] = (np.arange(count) % 2)[:, None]
    arrays["test_images"][:2] = arrays["train_images"][:2]
    arrays["train_images"][5] = arrays["train_images"][7]
    np.savez(tmp_path / "squares.npz", **arrays)
    (tmp_path / "suite.toml").write_text(QUICK)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_classes_and_counts_by_split_are_printed(cli, leaky):
    result = cli("validate", "suite.toml")

    assert result.status == 0, result.err
    assert [line for line in result.out.splitlines()[1:] if not line.startswith("encoder ")] == [
        "squares: binary, 2 classes, 28 px grey",
        "  train: 30 (0: 15, 1: 15)",
        "  val: 6 (0: 3, 1: 3)",
        "  test: 6 (0: 3, 1: 3)",
        "  note: 1 of 30 training images is a copy of others of the split",
        f"  warning: {COPIES}",
    ]


def test_phantoms_and_sets_that_are_not_here_are_described_too(cli, leaky):
    text = QUICK.replace('datasets = ["squares"]', 'datasets = ["phantom_cells", "bloodmnist"]')
    (leaky / "suite.toml").write_text(text)

    out = cli("validate", "suite.toml", "--data-dir", leaky / "data").out

    assert "phantom_cells: multi-class, " in out
    assert "warning" not in out
    assert "bloodmnist: multi-class, 8 classes, 28 px RGB\n  classes: basophil, eosinophil, " in out
    assert "\n  train: 11,959\n" in out
    assert "note: not in the data folder; its images are looked at once they are there" in out


def test_a_folder_is_described_with_what_was_understood_and_left_out(cli, leaky):
    rng = np.random.default_rng(0)
    for split, count in (("Training", 10), ("Testing", 4)):
        for kind in ("benign", "malignant"):
            place = leaky / "scans" / split / kind
            place.mkdir(parents=True)
            for index in range(count):
                Image.fromarray(rng.integers(0, 255, (12, 12), dtype=np.uint8)).save(place / f"{index}.png")
    (leaky / "scans" / "README.txt").write_text("")
    (leaky / "suite.toml").write_text(QUICK.replace('"npz"\npath = "squares.npz"', '"folder"\npath = "scans"'))

    result = cli("validate", "suite.toml")
    out = result.out

    assert result.status == 0, result.err
    assert "  train: 18 (benign: 9, malignant: 9)\n" in out
    assert "  test: 8 (benign: 4, malignant: 4)\n" in out
    assert "  note: read Training/ as train, Testing/ as test\n" in out
    assert "  note: left out: 1 .txt file in ./\n" in out
    assert "  note: drawn from the training images, class by class: val\n" in out


TOLD = pytest.mark.filterwarnings("default::medssl_bench.errors.LeakWarning")


@TOLD
@pytest.mark.parametrize("executor", ["local", "isolated"])
def test_a_run_warns_and_every_form_of_the_table_says_it(cli, leaky, executor):
    result = cli("run", "suite.toml", "--executor", executor)

    assert result.status == 0, result.err
    assert f"warning: squares: {COPIES}\n" in result.err
    assert f"squares: {COPIES}" in result.out, "with the table"

    for form in ("markdown", "latex"):
        assert f"squares: {COPIES}" in cli("leaderboard", "suite.toml", "--format", form).out
    rows = list(csv.DictReader(io.StringIO(cli("leaderboard", "suite.toml", "--format", "csv").out)))
    assert {row["leaks"] for row in rows} == {COPIES}
    cells = json.loads(cli("leaderboard", "suite.toml", "--format", "json").out)
    assert {cell["leaks"] for cell in cells} == {COPIES}
    assert cli("report", "suite.toml", "-o", "report").status == 0
    pages = [path.read_text("utf-8") for path in (leaky / "report").rglob("*.html")]
    assert pages
    assert any(COPIES in page for page in pages)

    (leaky / "squares.npz").unlink()
    assert f"squares: {COPIES}" in cli("leaderboard", "suite.toml").out, "where the data are not"


@TOLD
def test_the_groups_of_a_plugin_are_looked_at(cli, leaky):
    (leaky / "own.py").write_text(
        """\
import numpy as np

from medssl_bench import hookimpl
from medssl_bench.datasets import Dataset, DatasetInfo, Split, Task


@hookimpl
def medssl_datasets(register):
    register("patients", lambda context: Patients())


class Patients(Dataset):
    def info(self):
        counts = {"train": 20, "val": 6, "test": 6}
        return DatasetInfo("Patients", Task.BINARY, ("a", "b"), 1, 28, counts)

    def fingerprint(self):
        return "1"

    def load(self):
        rng = np.random.default_rng(0)

        def split(count, first):
            images = rng.integers(0, 255, (count, 28, 28), dtype=np.uint8)
            return Split(images, (np.arange(count) % 2)[:, None], np.arange(count) // 2 + first)

        return {"train": split(20, 0), "val": split(6, 9), "test": split(6, 100)}
"""
    )
    text = QUICK.replace('datasets = ["squares"]', 'datasets = ["patients"]').replace(", 1]", "]")
    (leaky / "suite.toml").write_text('plugins = ["own.py"]\n' + text)
    told = "1 group has training and validation images"

    assert f"  warning: {told}\n" in cli("validate", "suite.toml").out
    result = cli("run", "suite.toml")
    assert result.status == 0, result.err
    assert f"warning: Patients: {told}\n" in result.err
    assert f"patients: {told}" in result.out
