"""The limit: the harness' encoder, head, loss and optimiser on views that are there already."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.arms import Block, Settings
from benchmarks.arms.pieces import ADAMW, autocast, loop, ready_views, simclr
from medssl_bench.methods import Batch, Progress
from medssl_bench.training.optimizer import make_optimizer
from medssl_bench.training.recording import recorder_for
from medssl_bench.training.steps import Steps


def make(settings: Settings) -> Block:
    """Return the arm."""
    method, views = simclr(settings), ready_views(settings)
    recorder = recorder_for(views[0].device)
    groups = method.parameter_groups(ADAMW["weight_decay"])
    optimizer = make_optimizer(groups, ADAMW, recorded=recorder is not None)
    index = torch.arange(settings.batch, device=settings.device)
    steps = Steps(method, optimizer, recorder)

    def step(*views: Tensor) -> dict[str, Tensor]:
        optimizer.zero_grad(set_to_none=True)
        with autocast(settings):
            loss, _ = method(Batch(views, views[0], index), Progress(0, 1, 0))
        loss.backward()
        optimizer.step()
        return {"loss": loss.detach()}

    return loop(lambda: steps.do(step, *views), settings)
