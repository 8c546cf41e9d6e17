"""SimCLR as the suite builds it: its head, its two readings of the loss, and what it reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from lightly.loss import NTXentLoss
from torch import nn

from medssl_bench.datasets import Split
from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.errors import UserError
from medssl_bench.methods import Batch, MethodContext, Progress, View
from medssl_bench.methods.ntxent import contrastive_accuracy, nt_xent
from medssl_bench.methods.simclr import SimCLR
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.plugin.parameters import ParameterProblem
from medssl_bench.randomness import forked
from medssl_bench.training.images import DeviceImages
from medssl_bench.training.pretrain import Pretraining
from medssl_bench.training.view_maker import ViewMaker

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


@pytest.mark.parametrize("loss", ["nt_xent", "lightly"])
def test_under_autocast_projections_are_compared_in_float32(make, loss):
    """Against lightly's loss, and ranks counted in NumPy, in double precision of the same projections."""
    method = make(hidden=16, projection=8, loss=loss)
    seen = []
    method.head.register_forward_hook(lambda *call: seen.append(call[-1].detach()))
    (batch,) = batches(1, count=64)

    with torch.autocast("cpu", torch.bfloat16):
        value, metrics = method(batch, NOW)

    (rounded,) = seen
    assert rounded.dtype == torch.bfloat16, "the head computes as the recipe says"
    exact = rounded.double()
    assert value.item() == pytest.approx(NTXentLoss(temperature=0.07)(*exact.chunk(2)).item(), rel=1e-5)
    assert {name: metrics[name].item() for name in ("top1", "top5")} == pytest.approx(ranks(exact), abs=0.002)
    assert {value.dtype, metrics["top1"].dtype, metrics["top5"].dtype} == {torch.float32}


def ranks(projections):
    """Return how often the other view is the nearest, or among the five nearest, counted row by row in NumPy."""
    rows = (projections / projections.norm(dim=1, keepdim=True)).double().numpy()
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -np.inf)
    half = len(rows) // 2
    nearer = [int((cosines[row] > cosines[row, (row + half) % len(rows)]).sum()) for row in range(len(rows))]
    return {"top1": np.mean([count < 1 for count in nearer]), "top5": np.mean([count < 5 for count in nearer])}


def test_a_pretraining_in_bfloat16_chooses_by_float32_similarities():
    """tau_nat, whose first epochs give projections that bfloat16 cannot tell apart, through the real loop."""
    registry = load_plugins().registry
    pixels = np.random.default_rng(0).integers(0, 256, (128, 16, 16, 3), dtype=np.uint8)
    images = DeviceImages(Split(pixels, np.zeros((128, 1), np.int64)), torch.device("cpu"))
    with forked(0):
        encoder = TimmEncoder("test_resnet", 16)
        method = SimCLR(encoder, hidden=64, projection=32, temperature=0.07, loss="nt_xent")
    augmentation = registry.resolve_or_raise("augmentation", "tau_nat")
    views = ViewMaker(method.views(), augmentation, 16, registry, "cpu", 0)
    recipe = {
        "duration": {"epochs": 2},
        "batch_size": 64,
        "optimizer": {"name": "adamw", "lr": 5e-4, "weight_decay": 1e-4, "momentum": 0.9},
        "schedule": {"name": "constant", "minimum": 0.0, "period": None, "warmup": 0},
        "precision": "bfloat16",
        "keep": "best",
        "validate_every": 1,
        "seed": 0,
    }
    seen = []
    method.head.register_forward_hook(lambda module, _, result: None if module.training else seen.append(result))

    found = Pretraining(method, images, images, views, recipe, lambda *_: None).run()

    for epoch, row in enumerate(found.history):
        expected = [ranks(rounded.float()) for rounded in seen[2 * epoch : 2 * epoch + 2]]
        for name in ("top1", "top5"):
            assert row[f"val_{name}"] == pytest.approx(np.mean([each[name] for each in expected]), abs=0.002)
    assert {result.dtype for result in seen} == {torch.bfloat16}
