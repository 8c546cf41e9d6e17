"""What one would write by hand: images in memory, Kornia's augmentations, lightly's loss, timm's encoder as it is."""

from __future__ import annotations

import kornia.augmentation as K
import timm
import torch
from lightly.loss import NTXentLoss
from torch import nn

from benchmarks.arms import Block, Settings
from benchmarks.arms.pieces import ADAMW, HIDDEN, PROJECTION, TEMPERATURE, autocast, loop, pixels
from medssl_bench.training.processor import keep_freed_memory


def make(settings: Settings) -> Block:
    """Return the arm, with tau_nat of Kornia's classes."""
    keep_freed_memory()
    torch.manual_seed(0)
    device, size = settings.device, settings.size
    images = torch.from_numpy(pixels(settings)).to(device)
    encoder = timm.create_model("resnet18", num_classes=0, zero_init_last=False)
    head = nn.Sequential(nn.Linear(512, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, PROJECTION))
    model = nn.Sequential(encoder, head).to(device).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=ADAMW["lr"], weight_decay=ADAMW["weight_decay"], fused=True)
    criterion = NTXentLoss(temperature=TEMPERATURE)
    augment = nn.Sequential(
        K.RandomHorizontalFlip(0.5),
        K.RandomResizedCrop((size, size), (0.08, 1.0)),
        K.ColorJitter(0.8, 0.8, 0.8, 0.2, p=1.0),
        K.RandomGrayscale(p=0.2),
        K.RandomGaussianBlur((9, 9), (0.1, 2.0), p=1.0),
    )

    def step() -> None:
        index = torch.randint(len(images), (settings.batch,), device=device)
        batch = images[index].permute(0, 3, 1, 2).float() / 255
        views = torch.cat([augment(batch), augment(batch)]).sub(0.5).div(0.5)
        optimizer.zero_grad(set_to_none=True)
        with autocast(settings):
            projections = model(views.to(memory_format=torch.channels_last))
        first, second = projections.float().chunk(2)
        criterion(first, second).backward()
        optimizer.step()

    return loop(step, settings)
