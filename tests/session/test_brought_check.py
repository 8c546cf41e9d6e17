"""Files of features are read before anything runs: by `validate`, and by `run`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli.bad_suites import GOOD
from cli.conftest import write_squares

ARM = """
  [[comparison.arm]]
  name = "brought"
  encoder = { name = "features", file = "hub.npz" }
  evaluator = "logistic"
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a suite with an arm of features from a file, and that file."""
    monkeypatch.chdir(tmp_path)
    write_squares(tmp_path / "squares.npz")
    with np.load("squares.npz") as squares:
        counts = {split: len(squares[f"{split}_images"]) for split in ("train", "val", "test")}

    def write(**changes):
        rng = np.random.default_rng(0)
        arrays = {f"{split}_features": rng.normal(size=(count, 4)) for split, count in counts.items()} | {
            name: change(counts) for name, change in changes.items()
        }
        np.savez("hub.npz", **arrays)
        Path("suite.toml").write_text(GOOD + ARM, "utf-8")

    return write


def hole(counts):
    found = np.zeros((counts["val"], 4))
    found[3, 2] = np.nan
    return found


_BAD = {
    "a hole": ({"val_features": hole}, "val_features has values that are no finite numbers in float32"),
    "other labels": (
        {"test_labels": lambda counts: np.full(counts["test"], 9)}, "test_labels are not those of the data set, so rows"
    ),
    "names of images that have none": (
        {"train_names": lambda counts: np.arange(counts["train"]).astype(str)}, "has train_names, and the images of th"
    ),
}  # fmt: skip


@pytest.mark.parametrize("verb", ["validate", "run"])
@pytest.mark.parametrize("kind", _BAD)
def test_what_is_wrong_with_features_is_told_before_anything_runs(kind, verb, write, cli):
    changes, said = _BAD[kind]
    write(**changes)
    result = cli(verb, "suite.toml")
    assert result.status == 2, result.out
    (line,) = result.err.splitlines()
    assert line.startswith("error: suite.toml:30: comparison[0].arm[2].encoder: "), line
    assert f"hub.npz: {said}" in line
    assert not Path("store").exists()


def test_sound_features_are_valid(write, cli):
    write()
    result = cli("validate", "suite.toml")
    assert (result.status, result.err) == (0, "")


def test_features_of_images_that_are_not_here_are_read_later(write, cli):
    write(val_features=hole)
    text = Path("suite.toml").read_text("utf-8").replace('name = "npz"\npath = "squares.npz"', 'name = "bloodmnist"')
    Path("suite.toml").write_text(text, "utf-8")
    counts = {"train": 11_959, "val": 1_712, "test": 3_421}
    np.savez("hub.npz", **{f"{split}_features": np.full((count, 2), np.nan) for split, count in counts.items()})
    assert cli("validate", "suite.toml").status == 0


PLUGIN = """
from medssl_bench import hookimpl
from medssl_bench.datasets import Dataset, DatasetInfo, Task

class Own(Dataset):
    def info(self):
        return DatasetInfo("Own", Task.BINARY, ("a", "b"), 3, 28, {"train": 60, "val": 30, "test": 30})
    def fingerprint(self):
        return "x"
    def load(self):
        return LOADED

@hookimpl
def medssl_datasets(register):
    register("own", own)

def own(context):
    return Own()
"""


@pytest.mark.parametrize("loaded", ["'nothing'", "{}", "1 / 0"])
def test_a_data_set_that_loads_something_else_fails_its_own_stage(loaded, write, cli):
    write(val_features=hole)
    Path("own.py").write_text(PLUGIN.replace("LOADED", loaded), "utf-8")
    text = Path("suite.toml").read_text("utf-8").replace('name = "npz"\npath = "squares.npz"', 'name = "own"')
    Path("suite.toml").write_text(text.replace("seeds = [0]\n", 'seeds = [0]\nplugins = ["own.py"]\n'), "utf-8")
    counts = {"train": 60, "val": 30, "test": 30}
    np.savez("hub.npz", **{f"{split}_features": np.ones((count, 2)) for split, count in counts.items()})
    result = cli("run", "suite.toml", "--only", "brought")
    assert result.status == 1
    assert "Traceback" not in result.err + result.out
    assert ("ZeroDivisionError" if "/" in loaded else "load() gives ") in result.err + result.out
