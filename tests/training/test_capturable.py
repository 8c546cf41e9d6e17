"""A training step can be recorded once and played again with other images, as a CUDA graph does it.

The recording here is a trace of every operation on tensors. What Python decides while it is made (numbers, branches,
shapes) is fixed in it, so a step that depends on any of that plays back wrongly.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.fx.experimental.proxy_tensor import make_fx

from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.methods import Batch, Progress
from medssl_bench.methods.simclr import SimCLR
from medssl_bench.plugin.manager import load_plugins

REGISTRY = load_plugins().registry
BATCH = 6


class Step(nn.Module):
    """Views of both kinds, loss; weights and buffers come from outside."""

    def __init__(self, augmentation: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.method = SimCLR(TimmEncoder("resnet18", 28), hidden=16, projection=8, temperature=0.5, loss="nt_xent")
        self.sequence = REGISTRY.build(REGISTRY.resolve_or_raise("augmentation", augmentation), size=28)

    def forward(self, images: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        views = tuple(self.sequence.view(images, key) for key in keys.unbind())
        loss, metrics = self.method(Batch(views, images, torch.arange(BATCH)), Progress(0, 1, 0))
        return loss, metrics["top5"]


@pytest.mark.parametrize("augmentation", ["simclr", "tau_nat", "tau_nov"])
def test_a_recorded_step_plays_back_with_other_images_and_other_draws(augmentation: str) -> None:
    module = Step(augmentation)
    names = [name for name, _ in module.named_parameters()]
    buffers = {name: buffer.clone() for name, buffer in module.named_buffers()}

    def step(weights: list[Tensor], images: Tensor, keys: Tensor) -> tuple[Any, ...]:
        state = {**dict(zip(names, weights, strict=True)), **{name: tensor.clone() for name, tensor in buffers.items()}}
        loss, top = functional_call(module, state, (images, keys))
        return loss, top, *torch.autograd.grad(loss, weights)

    def arguments(seed: int) -> tuple[list[Tensor], Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        weights = [
            (parameter.detach() + 0.01 * seed * torch.rand(parameter.shape, generator=generator)).requires_grad_()
            for parameter in module.parameters()
        ]
        images = torch.rand(BATCH, 3, 28, 28, generator=generator)
        return weights, images, torch.randint(2**62, (2,), generator=generator)

    step(*arguments(0))  # constants, such as the numbers of random columns, are made with the first
    recorded = make_fx(step)(*arguments(0))

    for seed in (1, 2):
        with torch.no_grad():  # the recording has the backward pass in it
            found = recorded(*arguments(seed))
        wanted = step(*arguments(seed))
        for one, other in zip(found, wanted, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert not torch.isclose(wanted[0], step(*arguments(0))[0]), "the arguments must matter"
