"""The limit of fine-tuning: encoder, linear layer, loss and Adam on a batch that is there already."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.arms import Block, Settings
from benchmarks.arms.pieces import CLASSES, REGISTRY, autocast, loop, ready_views
from medssl_bench.encoders.dim import feature_dim
from medssl_bench.training.optimizer import make_optimizer
from medssl_bench.training.processor import keep_freed_memory
from medssl_bench.training.recording import recorder_for
from medssl_bench.training.steps import Steps


def make(settings: Settings) -> Block:
    """Return the arm."""
    keep_freed_memory()
    torch.manual_seed(0)
    encoder = REGISTRY.build(REGISTRY.resolve_or_raise("encoder", settings.encoder), size=settings.size)
    model = nn.Sequential(encoder, nn.Linear(feature_dim(encoder), CLASSES)).to(settings.device)
    model.to(memory_format=torch.channels_last)
    adam = {"name": "adam", "lr": 1e-4, "weight_decay": 0.0}
    images = ready_views([settings.size], settings)[0]
    recorder = recorder_for(images.device)
    optimizer = make_optimizer([{"params": list(model.parameters())}], adam, recorded=recorder is not None)
    steps = Steps(model, optimizer, recorder)
    labels = torch.arange(settings.batch, device=settings.device) % CLASSES

    def step(images: Tensor) -> dict[str, Tensor]:
        optimizer.zero_grad(set_to_none=True)
        with autocast(settings):
            features = model[0](images)
        value = F.cross_entropy(model[1](features.float()), labels)
        value.backward()
        optimizer.step()
        return {"loss": value.detach()}

    return loop(lambda: steps.do(step, images), settings)
