"""MICLe: its views, and that it needs groups; its loss is the NT-Xent of the harness."""

import math

import pytest
import torch
import torch.nn.functional as F
from medssl_bench_methods.groups.multi_instance import MICLe

from medssl_bench.errors import StageError
from medssl_bench.methods import Batch, MethodContext, Progress
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.randomness import forked


def test_a_set_without_groups_is_refused():
    registry = load_plugins().registry
    with forked(0):
        encoder = registry.build(
            registry.resolve_or_raise("encoder", {"name": "timm", "model": "test_resnet"}), size=16
        )
    component = registry.resolve_or_raise("method", "micle")
    with pytest.raises(StageError, match="the data set has no groups"):
        registry.build(component, encoder=encoder, context=MethodContext(size=16, images=32))
    method = registry.build(component, encoder=encoder, context=MethodContext(size=16, images=32, groups=8))
    assert isinstance(method, MICLe)
    assert [view.of for view in method.views()] == ["image", "partner"]
    views = tuple(F.interpolate(torch.rand(6, 3, 4, 4), 16) for _ in range(2))
    loss, metrics = method(Batch(views, views[0], torch.arange(6), torch.arange(6) // 2), Progress(0, 1, 0))
    assert math.isfinite(float(loss.detach()))
    assert set(metrics) == {"top1", "spread", "agreement"}
