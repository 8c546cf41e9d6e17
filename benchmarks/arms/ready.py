"""The limit: the harness' encoder, head, loss and optimiser on views that are there already."""

from __future__ import annotations

import torch

from benchmarks.arms import Block, Settings
from benchmarks.arms.common import ADAMW, autocast, loop, ready_views, simclr
from medssl_bench.methods import Batch, Progress
from medssl_bench.training.optimizer import make_optimizer


def make(settings: Settings) -> Block:
    """Return the arm."""
    method, views = simclr(settings), ready_views(settings)
    optimizer = make_optimizer(method.parameter_groups(ADAMW["weight_decay"]), ADAMW)
    batch = Batch(tuple(views), views[0], torch.arange(settings.batch, device=settings.device))

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with autocast(settings):
            loss, _ = method(batch, Progress(0, 1, 0))
        loss.backward()
        optimizer.step()

    return loop(step, settings)
