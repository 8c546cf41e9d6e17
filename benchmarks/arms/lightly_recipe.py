"""The SimCLR recipe of lightly's documentation: Lightning, SimCLRTransform on Pillow images, loader processes.

Its head is given this project's widths, so that all arms do the same arithmetic.
"""

from __future__ import annotations

import logging
import time
import warnings
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
import torchvision
from lightly.loss import NTXentLoss
from lightly.models.modules import SimCLRProjectionHead
from lightly.transforms import SimCLRTransform
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.arms import Block, Settings
from benchmarks.arms.pieces import HIDDEN, PROJECTION, pixels, wait

WORKERS = {"cpu": 2, "cuda": 8}
"""Loader processes: on the processor they share the cores with the training."""

FIRST, MOST = 2, 20
"""Steps that are not counted at the beginning, and the most that are counted: they take long."""


class Images(Dataset[tuple[list[Tensor], int]]):
    """Images as a torchvision data set gives them."""

    def __init__(self, settings: Settings, count: int) -> None:
        self._pixels = pixels(settings, count)
        self._transform = SimCLRTransform(input_size=settings.size)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._pixels)

    def __getitem__(self, place: int) -> tuple[list[Tensor], int]:
        """Return the views of an image, and a label."""
        return self._transform(Image.fromarray(self._pixels[place])), 0


class Recipe(pl.LightningModule):
    """SimCLR as the documentation writes it."""

    def __init__(self) -> None:
        super().__init__()
        resnet = torchvision.models.resnet18()
        self.backbone = nn.Sequential(*list(resnet.children())[:-1])
        self.projection_head = SimCLRProjectionHead(512, HIDDEN, PROJECTION)
        self.criterion = NTXentLoss()
        self.times: list[float] = []

    def forward(self, images: Tensor) -> Tensor:
        """Return the projections of images."""
        projections: Tensor = self.projection_head(self.backbone(images).flatten(start_dim=1))
        return projections

    def training_step(self, batch: Any, batch_index: int) -> Tensor:  # noqa: ARG002
        """Return the loss of a batch."""
        wait(self.device.type)
        self.times.append(time.perf_counter())
        first, second = batch[0]
        loss: Tensor = self.criterion(self(first), self(second))
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the documentation's optimiser."""
        return torch.optim.SGD(self.parameters(), lr=0.06)


def make(settings: Settings) -> Block:
    """Return the arm: a block is an epoch, with loader processes of its own."""
    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    precision = "bf16-mixed" if settings.precision == "bfloat16" else "32-true"
    model = Recipe()

    def run(steps: int) -> float:
        steps, workers = min(steps, MOST), WORKERS[settings.device]
        last = 2 * workers  # these find their batches made while others were waited for, and are not counted
        count = FIRST + steps + 1 + last
        data = Images(settings, count * settings.batch)
        loader = DataLoader(data, settings.batch, shuffle=True, drop_last=True, num_workers=workers)
        model.times.clear()
        trainer = pl.Trainer(
            max_epochs=1,
            devices=1,
            accelerator="gpu" if settings.device == "cuda" else "cpu",
            precision=precision,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(model, loader)
        return float(np.diff(model.times)[FIRST : FIRST + steps].mean())

    return run
