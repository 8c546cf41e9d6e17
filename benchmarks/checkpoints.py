"""What checkpoints cost a pretraining: SimCLR, ResNet-18, AdamW, 28 pixels, batch 256, as often as a run saves them.

    python benchmarks/checkpoints.py --seconds 120

It trains on random images and prints the share of the time that saving took, fsync included.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from medssl_bench.checkpoints import TrainingState
from medssl_bench.datasets import Split
from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.methods.simclr import SimCLR
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.stopping import Stopped
from medssl_bench.store.checkpoints import StoredCheckpoints
from medssl_bench.store.leases import Leases
from medssl_bench.training.images import DeviceImages
from medssl_bench.training.pretrain import Pretraining
from medssl_bench.training.processor import keep_freed_memory
from medssl_bench.training.view_maker import ViewMaker

CPU = torch.device("cpu")


@dataclass
class Timed:
    """How long each checkpoint took, and how large it was."""

    seconds: list[float] = field(default_factory=list)
    bytes: int = 0


class TimedCheckpoints(StoredCheckpoints):
    """Checkpoints as a run has them, timed; it stops the training at the end of its time."""

    def __init__(self, folder: Path, seconds: float, timed: Timed) -> None:
        lease = Leases(folder).acquire("ab" * 32)
        assert lease is not None
        super().__init__(lease, None, dict)
        self._end = time.monotonic() + seconds
        self._folder = lease.folder
        self._timed = timed

    def is_due(self) -> bool:
        """Return whether to save, or stop the training.

        Raises:
            Stopped: the time is over.
        """
        if time.monotonic() > self._end:
            raise Stopped
        return super().is_due()

    def save(self, state: TrainingState) -> None:
        """Save, and note how long it takes."""
        began = time.perf_counter()
        super().save(state)
        self._timed.seconds.append(time.perf_counter() - began)
        self._timed.bytes = sum(file.stat().st_size for file in self._folder.glob("checkpoint*"))


def train(folder: Path, seconds: float, batch: int) -> tuple[Timed, float]:
    """Train for a while; return what its checkpoints took, and how long it was in all."""
    keep_freed_memory()
    rng = np.random.default_rng(0)
    images = DeviceImages(
        Split(rng.integers(0, 256, (4 * batch, 28, 28, 3), np.uint8), np.zeros((4 * batch, 1), np.int64)), CPU
    )
    method = SimCLR(TimmEncoder("resnet18", 28), hidden=1000, projection=128, temperature=0.07, loss="nt_xent")
    method.to(memory_format=torch.channels_last)
    registry = load_plugins().registry
    views = ViewMaker(method.views(), registry.resolve_or_raise("augmentation", "simclr"), 28, registry, CPU, 0)
    settings = {
        "seed": 0,
        "duration": {"epochs": 10**6},
        "batch_size": batch,
        "optimizer": {"name": "adamw", "lr": 1e-3, "weight_decay": 1e-4, "momentum": 0.9},
        "schedule": {"name": "constant", "minimum": 0.0, "period": None, "warmup": 0},
        "precision": "float32",
        "keep": "best",
        "validate_every": 10,
    }
    timed, began = Timed(), time.perf_counter()
    checkpoints = TimedCheckpoints(folder, seconds, timed)
    with suppress(Stopped):
        Pretraining(method, images, images, views, settings, lambda *_: None, checkpoints).run()
    return timed, time.perf_counter() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--batch", type=int, default=256)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        timed, whole = train(Path(name), chosen.seconds, chosen.batch)
    print(
        f"{len(timed.seconds)} checkpoints of {timed.bytes / 1e6:.0f} MB in {whole:.0f} s, each "
        f"{', '.join(f'{seconds:.2f}' for seconds in timed.seconds)} s: {sum(timed.seconds) / whole:.2%} of the time"
    )
