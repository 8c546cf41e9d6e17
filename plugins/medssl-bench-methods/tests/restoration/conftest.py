"""What tests of restoring methods share: a tiny encoder, methods around it, and images that can be learnt."""

import pytest
import torch
from medssl_bench_methods.restoration import components as restoration
from torch import nn

from medssl_bench.methods import Batch, MethodContext, Progress
from medssl_bench.randomness import forked

SIZE = 16
NOW = Progress(step=0, total=10, epoch=0)


def small_encoder(size):
    """Return two convolutions and a linear layer, which learn within a second."""
    layers = [nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(), nn.Flatten()]
    encoder = nn.Sequential(*layers, nn.Linear(32 * (size // 4) ** 2, 64))
    encoder.dim = 64
    return encoder


@pytest.fixture
def make_method():
    """Make a method by its name around a tiny encoder."""

    def make(name, size=SIZE, **parameters):
        with forked(0):
            encoder = small_encoder(size)
            return getattr(restoration, name)(encoder, MethodContext(size, 64), **parameters)

    return make


@pytest.fixture
def discs():
    """Images of a bright disc on a dark ground, each at a place and of a colour of its own, (32, 3, 16, 16)."""
    numbers = torch.Generator().manual_seed(0)
    place, colour = 4 + 8 * torch.rand(32, 2, 1, 1, generator=numbers), torch.rand(32, 3, 1, 1, generator=numbers)
    pixels = torch.arange(SIZE)
    away = (pixels[:, None] - place[:, :1]) ** 2 + (pixels - place[:, 1:]) ** 2
    return 0.1 + 0.8 * colour * torch.sigmoid(9 - away)


@pytest.fixture
def seen_by_encoder():
    """Call a method on views, and return what its encoder was given, with the loss and the metrics."""

    def call(method, views):
        seen = []
        hook = method.encoder.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0].detach()))
        loss, metrics = method(Batch((views,), views, torch.arange(len(views))), NOW)
        hook.remove()
        return seen[0], loss, metrics

    return call


@pytest.fixture
def train():
    """Train a method on fixed views, and return its losses and its metrics after the last step."""

    def run(method, views, steps=60, lr=4e-3):
        with forked(0):
            optimizer = torch.optim.AdamW(method.parameters(), lr=lr)
            losses = []
            for _ in range(steps):
                optimizer.zero_grad()
                loss, metrics = method.train()(Batch((views,), views, torch.arange(len(views))), NOW)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
        return losses, metrics

    return run
