"""A tiny suite on a tiny data set, and the command line in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from medssl_bench import run
from medssl_bench.cli.main import main

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

SUITE = """\
schema = 1
name = "tiny"
seeds = [0]
draws = [0, 1]

[dataset.squares]
name = "npz"
path = "squares.npz"

[encoder.small]
name = "timm"
model = "test_resnet"

[pretraining.nat]
encoder = "small"
augmentation = ["resized_crop", "horizontal_flip"]
epochs = 2
batch_size = 16

[[comparison]]
id = "table"
title = "Squares"
datasets = ["squares"]
labels = [20, "all"]
baseline = "supervised"
encoder = "small"
analyses = ["silhouette"]

  [[comparison.arm]]
  name = "supervised"
  evaluator = { name = "finetune", epochs = 4 }

  [[comparison.arm]]
  name = "frozen"
  pretraining = ["nat"]
  evaluator = { name = "linear_probe", epochs = 20 }
"""


@dataclass
class Result:
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command line in this process."""

    def run(*arguments: str | Path) -> Result:
        monkeypatch.setattr("sys.argv", ["medssl-bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Result(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the suite and its data into the working directory and return the suite's path."""
    monkeypatch.chdir(tmp_path)
    write_squares(tmp_path / "squares.npz")
    (tmp_path / "tiny.toml").write_text(SUITE, "utf-8")
    return Path("tiny.toml")


@pytest.fixture(scope="session")
def _finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the suite once, for the tests that look at what a run leaves."""
    folder = tmp_path_factory.mktemp("finished")
    write_squares(folder / "squares.npz")
    (folder / "tiny.toml").write_text(SUITE, "utf-8")
    result = run(folder / "tiny.toml", store=folder / "store")
    assert not result.failed
    return folder


@pytest.fixture
def ran(_finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the suite, its data and the store of its run into the working directory and return the suite's path."""
    shutil.copytree(_finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Path("tiny.toml")


def arrays_of(file: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file; an NpzFile that nobody closes is a warning in whichever test comes later."""
    with np.load(file) as loaded:
        return dict(loaded)


def write_squares(path: Path, *, classes: int = 3, seed: int = 0) -> None:
    """Write grey images in which a class is the brightness of a square on noise."""
    generator = np.random.default_rng(seed)
    arrays = {}
    for split, count in (("train", 60), ("val", 18), ("test", 30)):
        labels = np.arange(count) % classes
        images = generator.integers(0, 60, (count, 28, 28))
        images[:, 8:20, 8:20] += (60 * (1 + labels))[:, None, None]
        arrays[f"{split}_images"] = images.clip(0, 255).astype(np.uint8)
        arrays[f"{split}_labels"] = labels[:, None].astype(np.uint8)
    np.savez(path, **arrays)


@pytest.fixture(scope="session")
def browser() -> Iterator[Chrome]:
    """A real browser without a window; where there is none, its tests are skipped."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no chromium with its driver here")
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1200,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = Chrome(options=options, service=Service(driver))
    yield found
    found.quit()
