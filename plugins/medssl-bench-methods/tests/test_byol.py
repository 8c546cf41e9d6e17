"""BYOL: its loss against lightly's, its moving average, which encoder is kept, and that it needs its predictor."""

import math

import pytest
import torch
from lightly.loss import NegativeCosineSimilarity
from loss_checks import assert_same_with_gradients
from medssl_bench_methods.distillation.cosine import mean_cosine
from medssl_bench_methods.ema import momentum_at
from method_builders import NOW, batch_of, build
from torch import nn

from medssl_bench.methods import Progress
from medssl_bench.methods.collapse import spread


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("shape", [(2, 3), (16, 8), (7, 33)])
def test_the_cosine_is_lightlys_and_passes_no_gradient_to_the_target(shape, seed):
    torch.manual_seed(seed)
    predicted, wanted = torch.randn(shape, requires_grad=True), torch.randn(shape, requires_grad=True)
    ours = mean_cosine(predicted, wanted)
    assert_same_with_gradients(-ours, NegativeCosineSimilarity()(predicted, wanted.detach()), [predicted])
    ours = mean_cosine(predicted, wanted)
    assert torch.autograd.grad(ours, wanted, allow_unused=True) == (None,)


def test_the_loss_is_eq_2_of_both_directions():
    method, batch = build("byol").eval(), batch_of(16, 16)
    expected, cosine = 0, NegativeCosineSimilarity()
    for mine, other in (batch.views, batch.views[::-1]):
        predicted = method.predictor(method.head(method.encoder(mine)))
        expected += 2 + 2 * cosine(predicted, method.teacher_head(method.teacher(other)))
    torch.testing.assert_close(method(batch, NOW)[0], expected)
    turned = type(batch)(batch.views[::-1], batch.image, batch.index)
    torch.testing.assert_close(method(turned, NOW)[0], expected)


def test_no_gradient_reaches_the_average():
    method = build("byol").train()
    method(batch_of(16, 16), NOW)[0].backward()
    averages = [*method.teacher.parameters(), *method.teacher_head.parameters()]
    assert sum(0 if p.grad is None else float(p.grad.abs().sum()) for p in averages) == 0
    assert all(p.grad is not None for p in [*method.student.parameters(), *method.predictor.parameters()])


@pytest.mark.parametrize("keep", ["student", "teacher"])
def test_either_encoder_is_left(keep):
    method = build("byol", keep=keep, momentum=0.75, rises=False)
    assert method.encoder is (method.student if keep == "student" else method.teacher)
    trained = {id(p) for group in method.parameter_groups(0.0) for p in group["params"]}
    assert trained == {id(p) for part in (method.student, method.head, method.predictor) for p in part.parameters()}
    before = [p.clone() for p in method.teacher.parameters()]
    with torch.no_grad():
        for parameter in method.student.parameters():
            parameter.add_(1.0)
    method.after_step(NOW)
    for old, average, current in zip(before, method.teacher.parameters(), method.student.parameters(), strict=True):
        torch.testing.assert_close(average, 0.75 * old + 0.25 * current)


def test_a_momentum_of_one_never_moves_the_average():
    method = build("byol", momentum=1.0)
    before = [p.clone() for p in method.teacher.parameters()]
    with torch.no_grad():
        for parameter in method.student.parameters():
            parameter.add_(1.0)
    method.after_step(Progress(3, 10, 0))
    assert all(torch.equal(p, old) for p, old in zip(method.teacher.parameters(), before, strict=True))


def test_the_momentum_rises_to_one():
    found = [momentum_at(0.9, 1.0, Progress(step, 100, 0)) for step in range(100)]
    assert found[0] == pytest.approx(0.9)
    assert found[50] == pytest.approx(0.95)
    assert found == sorted(found)
    assert found[-1] == pytest.approx(1, abs=1e-4)
    assert found[30] == pytest.approx(1 - 0.1 * (math.cos(math.pi * 0.3) + 1) / 2)


def test_the_second_view_may_have_its_own_augmentation():
    first, second = build("byol", second="simclr").views()
    assert first.augmentation is None
    assert isinstance(second.augmentation(size=16), torch.nn.Module)
    assert build("byol").views()[1].augmentation is None


class Small(nn.Module):
    """Two convolutions."""

    dim = 32

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2), nn.ReLU()
        )

    def forward(self, images):
        return self.layers(images).mean(dim=(2, 3))


def trained_spread(**parameters):
    """Return the spread of projections after some steps on noisy views of a few images."""
    torch.manual_seed(0)
    method = build("byol", encoder=Small(), hidden=64, projection=16, momentum=0.9, rises=False, **parameters).train()
    optimizer = torch.optim.Adam([p for p in method.parameters() if p.requires_grad], lr=3e-3)
    numbers = torch.Generator().manual_seed(0)
    images = torch.rand(32, 3, 16, 16, generator=numbers)
    for _ in range(150):
        views = tuple((images + 0.3 * torch.randn(images.shape, generator=numbers)).clamp(0, 1) for _ in range(2))
        loss, _ = method(type(batch_of(16))(views, images, torch.arange(32)), NOW)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        method.after_step(NOW)
    with torch.no_grad():
        return float(spread(method.head(method.student(images))))


def test_without_a_predictor_it_collapses():
    with_predictor, without = trained_spread(), trained_spread(predictor=False)
    assert with_predictor > 0.3
    assert without < 0.2
