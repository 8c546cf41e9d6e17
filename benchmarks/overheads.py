"""What is waited for before the first training step, in seconds."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

COMMAND = [sys.executable, "-m", "medssl_bench"]
ROOT = Path(__file__).parents[1]

PLUGIN = """
import time
from pathlib import Path

from medssl_bench import hookimpl


@hookimpl
def medssl_epoch_begins(stage, epoch):
    file = Path(__file__).with_name("began")
    if not file.exists():
        file.write_text(str(time.time()))
"""

SUITE = """
schema = 1
name = "start"
floors = []
plugins = ["clock.py"]

[pretraining.recipe]
encoder = "resnet18"
augmentation = "simclr"
steps = 1
batch_size = 256

[[comparison]]
id = "start"
datasets = ["cells"]
labels = [20]

  [[comparison.arm]]
  name = "frozen"
  pretraining = ["recipe"]
  evaluator = { name = "linear_probe", epochs = 1 }

[dataset.cells]
name = "phantom_cells"
train = 500
val = 50
"""


def overheads(rounds: int = 3) -> dict[str, float]:
    """Return the median seconds of each, by name."""
    return {
        "--help": median(_seconds(["--help"]) for _ in range(rounds)),
        "plan suites/thesis.toml": median(
            _seconds(["plan", str(ROOT / "suites/thesis.toml"), "--store", "no store"]) for _ in range(rounds)
        ),
        "run: from its start to its first epoch": median(_first_epoch() for _ in range(rounds)),
    }


def _seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*COMMAND, *arguments], check=True, cwd=folder, capture_output=True)
    return time.perf_counter() - start


def _first_epoch() -> float:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "clock.py").write_text(PLUGIN, "utf-8")
        (Path(folder) / "suite.toml").write_text(SUITE, "utf-8")
        start = time.time()
        command = [*COMMAND, "run", "suite.toml", "--store", "store", "--executor", "isolated"]
        subprocess.run(command, check=True, cwd=folder, capture_output=True)
        return float((Path(folder) / "began").read_text()) - start
