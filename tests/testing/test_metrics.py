"""The built-in metrics keep the contract that plugins must."""

from __future__ import annotations

import pytest

from medssl_bench.metrics.find import make_metric
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.testing.metrics import metric_steps

REGISTRY = load_plugins().registry


@pytest.mark.parametrize("name", list(REGISTRY.entries["metric"]))
def test_a_built_in_metric(name: str) -> None:
    for group in metric_steps(name, lambda: make_metric(name, REGISTRY)):
        for _, step in group:
            step()
