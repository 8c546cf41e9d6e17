"""The limit: the method and the optimiser, as the harness has them, on views that are there already."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.arms import Block, Settings
from benchmarks.arms.pieces import ADAMW, autocast, loop, method, ready_views, split
from medssl_bench.methods import Batch, Progress
from medssl_bench.training.images import DeviceImages
from medssl_bench.training.optimizer import make_optimizer
from medssl_bench.training.recording import recorder_for
from medssl_bench.training.steps import Steps

BEGIN = Progress(0, 1000, 0)


def make(settings: Settings) -> Block:
    """Return the arm."""
    made = method(settings)
    views = ready_views([view.size or settings.size for view in made.views()], settings)
    made.on_epoch_start(DeviceImages(split(settings), views[0].device), BEGIN)
    made.train()
    recorder = recorder_for(views[0].device)
    groups = made.parameter_groups(ADAMW["weight_decay"])
    optimizer = make_optimizer(groups, ADAMW, recorded=recorder is not None)
    index = torch.arange(settings.batch, device=settings.device)
    steps = Steps(made, optimizer, recorder)

    def step(*views: Tensor) -> dict[str, Tensor]:
        optimizer.zero_grad(set_to_none=True)
        with autocast(settings):
            loss, _ = made(Batch(views, views[0], index), BEGIN)
        loss.backward()
        optimizer.step()
        return {"loss": loss.detach()}

    def whole() -> None:
        steps.do(step, *views)
        made.after_step(BEGIN)

    return loop(whole, settings)
