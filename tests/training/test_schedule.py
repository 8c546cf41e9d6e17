"""Learning-rate schedules against PyTorch's."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler, MultiStepLR, SequentialLR

from medssl_bench.errors import StageError
from medssl_bench.training.optimizer import make_schedule
from medssl_bench.training.schedule import Steps, cosine, multistep, rate_at, warmup

RATES = st.floats(1e-6, 1.0)


def optimizer(lr: float) -> SGD:
    return SGD([torch.zeros(1, requires_grad=True)], lr=lr)


def rates_of(scheduler: LRScheduler, epochs: int) -> list[float]:
    """Return the rate of each epoch, as a training loop of PyTorch's would have it."""
    found = []
    for _ in range(epochs):
        found.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.optimizer.step()
        scheduler.step()
    return found


@settings(deadline=None, max_examples=50)
@given(lr=RATES, fraction=st.floats(0, 1), period=st.integers(1, 40))
def test_cosine_is_pytorchs_also_past_its_period(lr, fraction, period):
    epochs = 3 * period + 2
    expected = rates_of(CosineAnnealingLR(optimizer(lr), period, eta_min=lr * fraction), epochs)

    found = [cosine(epoch, start=lr, minimum=lr * fraction, period=period) for epoch in range(epochs)]

    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9 * lr)


def test_cosine_climbs_again_past_its_period():
    rates = [cosine(epoch, start=1.0, minimum=0.1, period=10) for epoch in range(21)]

    assert (rates[0], rates[10], rates[20]) == pytest.approx((1.0, 0.1, 1.0))
    assert rates[5] == pytest.approx(0.55)
    assert all(a > b for a, b in pairwise(rates[:11]))
    assert all(a < b for a, b in pairwise(rates[10:]))


@settings(deadline=None, max_examples=50)
@given(
    lr=RATES,
    milestones=st.lists(st.integers(0, 30), min_size=0, max_size=4).map(sorted),
    factor=st.sampled_from([0.1, 0.5]),
)
def test_multistep_is_pytorchs(lr, milestones, factor):
    expected = rates_of(MultiStepLR(optimizer(lr), milestones, gamma=factor), 35)

    found = [multistep(epoch, start=lr, milestones=milestones, factor=factor) for epoch in range(35)]

    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("rising", [1, 2, 5, 10])
def test_warmup_is_pytorchs_linear_rise(rising):
    expected = rates_of(LinearLR(optimizer(1.0), start_factor=1 / (rising + 1), total_iters=rising), rising + 5)

    found = [warmup(epoch, rising) for epoch in range(rising + 5)]

    assert found == pytest.approx(expected)
    assert found[0] > 0
    assert found[rising:] == [1.0] * 5


def test_no_warmup_is_the_whole_rate_from_the_start():
    assert warmup(0, 0) == 1.0


def rate(epoch, epochs=20.0, **schedule):
    settings = {"name": "cosine", "minimum": 0.001, "period": None, "warmup": 0, **schedule}
    return make_schedule(settings)(epoch, epochs, 0.1)


def test_the_cosine_takes_all_epochs_unless_told_otherwise():
    assert [rate(epoch) for epoch in range(20)] == pytest.approx(
        rates_of(CosineAnnealingLR(optimizer(0.1), 20, eta_min=0.001), 20)
    )
    assert rate(20) == pytest.approx(0.001)


def test_a_period_of_its_own():
    assert [rate(epoch, period=5) for epoch in range(20)] == pytest.approx(
        rates_of(CosineAnnealingLR(optimizer(0.1), 5, eta_min=0.001), 20)
    )


def test_warmup_then_cosine_over_the_rest():
    sgd = optimizer(0.1)
    rise = LinearLR(sgd, start_factor=1 / 6, total_iters=5)
    fall = CosineAnnealingLR(sgd, 15, eta_min=0.001)
    expected = rates_of(SequentialLR(sgd, [rise, fall], milestones=[5]), 20)

    found = [rate(epoch, warmup=5) for epoch in range(20)]

    assert found == pytest.approx(expected)


def test_a_constant_rate_may_warm_up():
    assert [rate(epoch, name="constant", warmup=1) for epoch in range(4)] == pytest.approx([0.05, 0.1, 0.1, 0.1])


@pytest.mark.parametrize(("epochs", "milestones"), [(100, [50, 75]), (20, [10, 15]), (7, [4, 6])])
def test_steps_are_pytorchs(epochs, milestones):
    steps = Steps(at=(0.5, 0.75), factor=0.1)
    found = [steps(epoch, epochs, 0.1) for epoch in range(epochs)]
    assert found == pytest.approx(rates_of(MultiStepLR(optimizer(0.1), milestones, 0.1), epochs))


def test_steps_may_warm_up():
    steps = Steps(at=(0.5,), factor=0.5, warmup=1)
    assert [steps(epoch, 4, 1.0) for epoch in range(4)] == [0.5, 1.0, 0.5, 0.5]


@pytest.mark.parametrize("epochs", [0.25, 1.0, 2.5])
def test_short_pretrainings_have_a_rate(epochs):
    rates = [rate(epoch, epochs) for epoch in range(math.ceil(epochs))]

    assert rates[0] == pytest.approx(0.1)
    assert all(0.001 <= value <= 0.1 for value in rates)


@pytest.mark.parametrize("found", [None, "0.1", True, float("nan"), float("inf"), -0.1, torch.tensor(0.1)], ids=repr)
def test_what_is_no_rate_is_one_line(found):
    with pytest.raises(StageError, match=r"the schedule gives .* at place 2 of 10, not a finite number from 0"):
        rate_at(lambda _place, _length, _lr: found, 2, 10.0, 0.1)


def test_a_rate_is_taken_as_it_is():
    assert rate_at(lambda place, length, lr: np.float32(lr * place / length), 2, 10, 0.5) == pytest.approx(0.1)
