"""SimCLR as the suite builds it: its head, its two readings of the loss, and what it reports."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from medssl_bench.errors import UserError
from medssl_bench.methods import Batch, MethodContext, Progress, View
from medssl_bench.methods.ntxent import contrastive_accuracy, nt_xent
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.plugin.parameters import ParameterProblem
from medssl_bench.randomness import forked

NOW = Progress(step=0, total=4, epoch=0)


class Pool(nn.Module):
    """An encoder of 12 features."""

    dim = 12

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3 * 8 * 8, self.dim)

    def forward(self, images):
        return self.layer(images.flatten(1))


@pytest.fixture
def make():
    registry = load_plugins().registry

    def build(encoder=None, **parameters):
        component = registry.resolve("method", {"name": "simclr", **parameters}, Path())
        with forked(1):
            encoder = encoder or Pool()
            return registry.build(component, encoder=encoder, context=MethodContext(size=8, images=32))

    return build


def batches(number, count=16):
    numbers = torch.Generator().manual_seed(0)
    for _ in range(number):
        image = torch.rand(count, 3, 8, 8, generator=numbers)
        views = tuple((image + 0.1 * torch.rand(image.shape, generator=numbers)).clamp(0, 1) for _ in range(2))
        yield Batch(views, image, torch.arange(count))


def train(method, steps=5, lr=1e-3):
    optimizer = torch.optim.Adam(method.parameters(), lr=lr)
    losses = []
    for batch in batches(steps):
        optimizer.zero_grad()
        loss, _ = method(batch, NOW)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_the_head_is_the_thesis_one(make):
    method = make()

    assert [type(layer) for layer in method.head] == [nn.Linear, nn.ReLU, nn.Linear]
    assert (method.head[0].in_features, method.head[0].out_features) == (12, 1000)
    assert (method.head[2].in_features, method.head[2].out_features) == (1000, 128)
    assert method.temperature == 0.07


def test_it_wants_two_views_of_the_recipe(make):
    assert make().views() == (View(), View())


def test_loss_and_metrics_are_those_of_the_projections(make):
    method = make(temperature=0.2, hidden=16, projection=4)
    (batch,) = batches(1)

    loss, metrics = method(batch, NOW)

    first, second = (method.head(method.encoder(view)) for view in batch.views)
    expected, logits = nt_xent(first, second, 0.2)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    for name, top in (("top1", 1), ("top5", 5)):
        assert metrics[name].item() == contrastive_accuracy(logits, top).item()
        assert not metrics[name].requires_grad


def test_lightlys_loss_gives_the_same_training(make):
    ours, theirs = make(loss="nt_xent", hidden=32), make(loss="lightly", hidden=32)

    assert train(ours) == pytest.approx(train(theirs), rel=1e-4)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-3, atol=1e-5)


def test_training_lowers_the_loss(make):
    losses = train(make(hidden=32, temperature=0.1), steps=60, lr=3e-3)

    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    "wrong", [{"temperature": 0.0}, {"temperature": -0.1}, {"hidden": 0}, {"projection": 0}, {"loss": "info_nce"}]
)
def test_bad_parameters_are_refused(make, wrong):
    with pytest.raises(ParameterProblem) as caught:
        make(**wrong)

    assert caught.value.path == tuple(wrong)


def test_an_encoder_without_a_length_is_refused_in_one_line(make):
    encoder = nn.Flatten()

    with pytest.raises(Exception, match="Flatten has no positive integer attribute 'dim'") as caught:
        make(encoder)

    assert not isinstance(caught.value, AttributeError | UserError)
    assert "\n" not in str(caught.value)
