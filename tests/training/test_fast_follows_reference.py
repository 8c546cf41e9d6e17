"""The fast path (small maps as products, fused optimiser, bfloat16) follows plain torch in float32.

The reference has nothing of this project but the batches and their views: timm's encoder as it is, torch's AdamW in its
plainest form and lightly's loss.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import timm
import torch
from lightly.loss import NTXentLoss
from long import LONG
from torch import Tensor, nn

from medssl_bench.datasets import Split
from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.encoders.weight_gradient import has_matrix_units
from medssl_bench.methods.simclr import SimCLR
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.randomness import generator
from medssl_bench.training.images import DeviceImages
from medssl_bench.training.pretrain import Pretraining
from medssl_bench.training.view_maker import ViewMaker

CPU = torch.device("cpu")
REGISTRY = load_plugins().registry
BATCH, TEMPERATURE, LR, DECAY = 64, 0.2, 1e-3, 0.05
LABELLED = 200


@pytest.fixture(scope="module")
def splits() -> dict[str, Split]:
    """Return generated blood cells."""
    component = REGISTRY.resolve_or_raise("dataset", {"name": "phantom_cells", "train": 256, "val": 8, "test": 512})
    return REGISTRY.build(component, context=None).load()


def method() -> SimCLR:
    torch.manual_seed(3)
    encoder = TimmEncoder("resnet18", 28, options={"zero_init_last": False})
    return SimCLR(encoder, hidden=128, projection=64, temperature=TEMPERATURE, loss="nt_xent")


def maker(seed: int) -> ViewMaker:
    return ViewMaker(method().views(), REGISTRY.resolve_or_raise("augmentation", "simclr"), 28, REGISTRY, CPU, seed)


def pretrained(split: Split, precision: str, epochs: int, seed: int) -> tuple[nn.Module, list[float]]:
    """Return the encoder that the harness makes, and the loss of each epoch."""
    found = method().to(memory_format=torch.channels_last)
    recipe: dict[str, Any] = {
        "seed": seed,
        "duration": {"epochs": epochs},
        "batch_size": BATCH,
        "optimizer": {"name": "adamw", "lr": LR, "weight_decay": DECAY, "momentum": 0.9},
        "schedule": {"name": "constant", "minimum": 0.0, "period": None, "warmup": 0},
        "precision": precision,
        "keep": "last",
        "validate_every": 1,
    }
    images, none = DeviceImages(split, CPU), DeviceImages(split, CPU, np.arange(0))
    history = Pretraining(found, images, none, maker(seed), recipe, lambda *_: None).run().history
    return found.encoder, [row["loss"] for row in history]


def reference(split: Split, epochs: int, seed: int) -> tuple[nn.Module, list[float]]:
    """Return the same of plain torch in float32."""
    start = method()
    encoder = timm.create_model("resnet18", num_classes=0, zero_init_last=False)
    encoder.load_state_dict(start.encoder.backbone.state_dict())
    model = nn.Sequential(encoder, start.head)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=DECAY, foreach=False, fused=False)
    criterion, views = NTXentLoss(TEMPERATURE), maker(seed)
    pixels = torch.from_numpy(np.ascontiguousarray(split.images)).permute(0, 3, 1, 2).float() / 255
    losses = []
    for epoch in range(epochs):
        order = torch.from_numpy(generator("batches", seed=seed, epoch=epoch).permutation(len(pixels)))
        total = 0.0
        for number, index in enumerate(order.split(BATCH)):
            pair = views(pixels[index], "views", epoch * (len(pixels) // BATCH) + number)
            projections = model(((torch.cat(pair) - 0.5) / 0.5).contiguous())
            loss = criterion(*projections.chunk(2))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss.detach())
        losses.append(total / (len(pixels) // BATCH))
    return _Normalised(encoder), losses


class _Normalised(nn.Module):
    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, images: Tensor) -> Tensor:
        return self.encoder((images - 0.5) / 0.5)


def test_the_first_losses_are_the_same_in_float32(splits):
    first = Split(splits["train"].images[:BATCH], splits["train"].labels[:BATCH])

    _, found = pretrained(first, "float32", 4, seed=0)
    _, wanted = reference(first, 4, seed=0)

    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-5)
    # Adam's first step is the sign of each gradient, whatever its size: rounding decides that of the smallest
    np.testing.assert_allclose(found, wanted, rtol=0.01)


@pytest.mark.slow
def test_the_first_losses_are_close_in_bfloat16(splits):
    first = Split(splits["train"].images[:BATCH], splits["train"].labels[:BATCH])

    _, found = pretrained(first, "bfloat16", 3, seed=0)
    _, wanted = reference(first, 3, seed=0)

    np.testing.assert_allclose(found[0], wanted[0], rtol=2e-3)
    np.testing.assert_allclose(found, wanted, rtol=0.03)


@pytest.mark.slow
@LONG
def test_a_short_training_leads_to_encoders_that_are_as_good(splits):
    """Mean losses and mean accuracies differ by no more than two seeds of the reference do, or by a little."""
    # without units for bfloat16 a step takes ten times as long, and float32 is the choice
    precision = "bfloat16" if has_matrix_units() else "float32"
    fast = [pretrained(splits["train"], precision, 6, seed) for seed in (0, 1)]
    plain = [reference(splits["train"], 6, seed) for seed in (0, 1)]

    assert plain[0][1][-1] < plain[0][1][0] - 0.02, "something must have been learned"
    losses = np.array([losses[-1] for _, losses in fast]), np.array([losses[-1] for _, losses in plain])
    assert abs(losses[0].mean() - losses[1].mean()) <= max(np.ptp(losses[1]), 0.05)
    scores = np.array([[accuracy(encoder, splits) for encoder, _ in arm] for arm in (fast, plain)])
    assert abs(scores[0].mean() - scores[1].mean()) <= max(np.ptp(scores[1]), 0.04), scores


@torch.no_grad()
def accuracy(encoder: nn.Module, splits: dict[str, Split]) -> float:
    """Return the test accuracy of scikit-learn's logistic regression on features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    encoder.eval()
    train, test = (DeviceImages(splits[name], CPU).take(torch.arange(len(splits[name]))) for name in ("train", "test"))
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    probe.fit(encoder(train[:LABELLED]).numpy(), splits["train"].labels[:LABELLED, 0])
    return float(probe.score(encoder(test).numpy(), splits["test"].labels[:, 0]))
