"""How much memory a run takes beside the interpreter and torch: a set as large as MedMNIST's largest, end to end."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

TISSUE = {"train": 165_466, "val": 23_640, "test": 47_280}
"""Images of TissueMNIST, grey, 28 pixels (Yang et al. 2023, Table 2)."""

SUITE = """
schema = 1
name = "memory"
floors = []

[dataset.large]
name = "npz"
path = "large.npz"

[pretraining.recipe]
encoder = "resnet18"
method = "simclr"
augmentation = "tau_nat"
steps = 12
batch_size = 256
precision = "bfloat16"

[[comparison]]
id = "large"
datasets = ["large"]
labels = [100]

  [[comparison.arm]]
  name = "frozen"
  pretraining = ["recipe"]
  evaluator = { name = "linear_probe", epochs = 5 }
"""


def peak() -> tuple[float, float]:
    """Return the peak memory of a process in MiB: of the interpreter with torch, and what a run adds."""
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder))
        command = [sys.executable, "-m", "benchmarks.memory", folder]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    before, after = json.loads(answer.splitlines()[-1])
    return before, after - before


def _write(folder: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {}
    for name, count in TISSUE.items():
        arrays[f"{name}_images"] = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        arrays[f"{name}_labels"] = np.arange(count)[:, None] % 8
    np.savez(folder / "large.npz", **arrays)  # type: ignore[arg-type] # one name could be savez's own keyword; none is
    (folder / "suite.toml").write_text(SUITE, "utf-8")


def _resident() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure in this process, and print what was found."""
    import torch

    folder = Path(sys.argv[1])
    torch.ones(1).sum()
    before = _resident()
    import medssl_bench

    result = medssl_bench.run(folder / "suite.toml", store=folder / "store", device="cpu")
    if result.failed:
        raise SystemExit(str(result.failed))
    print(json.dumps([before, _resident()]))


if __name__ == "__main__":
    main()
