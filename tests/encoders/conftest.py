"""What the tests of encoders share."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from medssl_bench.plugin.manager import load_plugins
from medssl_bench.randomness import forked


@pytest.fixture(scope="session")
def registry():
    return load_plugins().registry


@pytest.fixture
def make(registry):
    """Make an encoder as a stage does: from a suite's table, with the weights of a seed."""

    def build(name, size=28, *, seed=0, **parameters):
        component = registry.resolve("encoder", {"name": name, **parameters}, Path())
        with forked(seed):
            return registry.build(component, size=size).eval()

    return build


@pytest.fixture
def images():
    def draw(count=2, size=28):
        return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0))

    return draw
