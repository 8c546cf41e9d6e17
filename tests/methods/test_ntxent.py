"""NT-Xent and the contrastive accuracy against lightly, the paper's formula in a loop, and NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lightly.loss import NTXentLoss

from medssl_bench.methods.ntxent import contrastive_accuracy, nt_xent, positives

BATCHES = {
    "count": st.integers(2, 24),
    "length": st.integers(2, 48),
    "temperature": st.sampled_from([0.05, 0.07, 0.1, 0.5, 1.0, 2.0]),
    "seed": st.integers(0, 2**32 - 1),
}
FLOATS = st.sampled_from([torch.float32, torch.float64])


def projections(count, length, seed, dtype=torch.float32):
    """Two views' projections, each of its own length: normalising is the loss' task."""
    numbers = torch.Generator().manual_seed(seed)
    both = torch.randn(2, count, length, generator=numbers) * (0.1 + 5 * torch.rand(2, count, 1, generator=numbers))
    return [view.to(dtype).requires_grad_() for view in both]


def eq_1(first, second, temperature):
    """Eq. (1) of SimCLR, summed as its algorithm 1 does: pairs (2k-1, 2k) and (2k, 2k-1), in double precision."""
    z = [row for pair in zip(first.tolist(), second.tolist(), strict=True) for row in pair]

    def similarity(u, v):
        return sum(a * b for a, b in zip(u, v, strict=True)) / math.hypot(*u) / math.hypot(*v)

    def term(i, j):
        denominator = sum(math.exp(similarity(z[i], z[k]) / temperature) for k in range(len(z)) if k != i)
        return -math.log(math.exp(similarity(z[i], z[j]) / temperature) / denominator)

    return sum(term(k, k + 1) + term(k + 1, k) for k in range(0, len(z), 2)) / len(z)


@settings(max_examples=60, deadline=None)
@given(**BATCHES, dtype=FLOATS)
def test_value_and_gradient_are_lightlys(count, length, temperature, seed, dtype):
    ours, theirs = projections(count, length, seed, dtype), projections(count, length, seed, dtype)

    loss, _ = nt_xent(*ours, temperature)
    expected = NTXentLoss(temperature=temperature)(*theirs)
    loss.backward()
    expected.backward()

    assert loss.item() == pytest.approx(expected.item(), rel=1e-5, abs=1e-5)
    for mine, reference in zip(ours, theirs, strict=True):
        scale = reference.grad.abs().max().item()
        torch.testing.assert_close(mine.grad, reference.grad, rtol=1e-4, atol=1e-5 * scale + 1e-7)


@settings(max_examples=25, deadline=None)
@given(count=st.integers(2, 8), length=st.integers(2, 8), temperature=BATCHES["temperature"], seed=BATCHES["seed"])
def test_value_is_eq_1_of_the_paper(count, length, temperature, seed):
    first, second = projections(count, length, seed)

    loss, _ = nt_xent(first, second, temperature)

    assert loss.item() == pytest.approx(eq_1(first, second, temperature), rel=1e-4, abs=1e-4)


def test_gradient_is_that_of_differences_of_eq_1():
    first, second = projections(3, 4, seed=1)
    loss, _ = nt_xent(first, second, 0.5)
    loss.backward()

    step = 1e-4
    for row in range(3):
        for column in range(4):
            moved = [first.detach().double(), first.detach().double()]
            moved[0][row, column] += step
            moved[1][row, column] -= step
            slope = (eq_1(moved[0], second.detach(), 0.5) - eq_1(moved[1], second.detach(), 0.5)) / (2 * step)
            assert first.grad[row, column].item() == pytest.approx(slope, rel=1e-3, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(**BATCHES, top=st.sampled_from([1, 2, 5]))
def test_contrastive_accuracy_is_a_count_in_numpy(count, length, temperature, seed, top):
    first, second = projections(count, length, seed)
    # second views near the first ones, so that the answer is neither always nor never
    second = first.detach() + 0.5 * second.detach()

    _, logits = nt_xent(first.detach(), second, temperature)

    z = torch.cat([first.detach(), second]).double().numpy()
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    hits = 0
    for i in range(2 * count):
        others = [j for j in range(2 * count) if j != i]
        nearest = sorted(others, key=lambda j: -(z[i] @ z[j]))[:top]
        hits += (i + count) % (2 * count) in nearest
    assert contrastive_accuracy(logits, top).item() == pytest.approx(hits / (2 * count), abs=1e-6)


def test_accuracy_at_its_ends():
    same = torch.eye(6)
    _, found = nt_xent(same, same, 0.1)
    assert contrastive_accuracy(found, 1) == 1

    # every second view is the opposite of its first one and equal to the next image's
    _, missed = nt_xent(same, same.roll(1, dims=0), 0.1)
    assert contrastive_accuracy(missed, 1) == 0
    assert contrastive_accuracy(missed, 11) == 1


def test_the_positive_is_the_other_view():
    assert positives(torch.zeros(6, 6)).tolist() == [3, 4, 5, 0, 1, 2]


def test_logits_are_cosines_over_the_temperature_without_the_diagonal():
    first, second = projections(5, 7, seed=2)

    _, logits = nt_xent(first, second, 0.25)
    _, unscaled = nt_xent(first, second, 1.0)

    z = torch.cat([first, second])
    cosines = torch.nn.functional.cosine_similarity(z[:, None], z[None], dim=2)
    off_diagonal = ~torch.eye(10, dtype=torch.bool)
    torch.testing.assert_close(logits[off_diagonal], (cosines / 0.25)[off_diagonal])
    torch.testing.assert_close(logits[off_diagonal], unscaled[off_diagonal] * 4)
    assert torch.isneginf(logits.diagonal()).all()


def test_unrelated_projections_at_a_high_temperature_cost_the_log_of_their_number():
    first, second = projections(16, 8, seed=3)

    loss, _ = nt_xent(first, second, 1e6)

    assert loss.item() == pytest.approx(math.log(31), abs=1e-4)


def test_half_precision_projections_are_compared_in_single_precision():
    first, second = (view.detach().bfloat16() for view in projections(8, 16, seed=4))

    loss, logits = nt_xent(first, second, 0.07)

    assert logits.dtype == torch.float32
    assert loss.item() == pytest.approx(eq_1(first.float(), second.float(), 0.07), rel=1e-4)


@pytest.mark.parametrize("top", [1, 5])
@pytest.mark.parametrize("value", [0.0, 1.0, math.nan])
def test_projections_that_have_collapsed_or_are_no_numbers_find_nothing(value, top):
    collapsed = torch.full((16, 8), value)

    _, logits = nt_xent(collapsed, collapsed, 0.07)

    assert contrastive_accuracy(logits, top).item() == 0


def test_another_as_near_as_the_positive_counts_as_nearer():
    first = torch.eye(4)
    first[1] = first[0]  # two images that no one can tell apart, and two that everyone can

    _, logits = nt_xent(first, first, 0.5)

    assert contrastive_accuracy(logits, 1).item() == 0.5
    assert contrastive_accuracy(logits, 3).item() == 1.0


@settings(max_examples=20, deadline=None)
@given(**BATCHES, spread=st.sampled_from([1.0, 1e-2, 1e-3]))
def test_autocast_rounds_nothing(count, length, temperature, seed, spread):
    """Also of projections that have nearly collapsed, whose cosines differ by less than bfloat16 can tell."""
    common = torch.randn(length, generator=torch.Generator().manual_seed(seed))
    ours, theirs = (
        [(common + spread * view.detach()).requires_grad_() for view in projections(count, length, seed)]
        for _ in range(2)
    )

    loss, logits = nt_xent(*ours, temperature)
    loss.backward()
    with torch.autocast("cpu", torch.bfloat16):
        found, rounded = nt_xent(*theirs, temperature)
    found.backward()

    assert (found.dtype, rounded.dtype) == (torch.float32, torch.float32)
    assert torch.equal(found, loss)
    assert torch.equal(rounded, logits)
    assert all(torch.equal(one.grad, other.grad) for one, other in zip(ours, theirs, strict=True))


def by_loop(first, second, group, temperature, *, same_group):
    rows = [row / row.norm() for row in torch.cat([first, second]).double()]
    whose, count = [*group.tolist(), *group.tolist()], len(first)
    total = 0.0
    for i in range(2 * count):
        positive = (i + count) % (2 * count)
        candidates = [k for k in range(2 * count) if k != i and (k == positive or same_group or whose[k] != whose[i])]
        weights = {k: torch.exp(rows[i] @ rows[k] / temperature) for k in candidates}
        total = total - torch.log(weights[positive] / sum(weights.values()))
    return total / (2 * count)


@pytest.mark.parametrize("same_group", [False, True])
@pytest.mark.parametrize(("group", "width"), [([0, 1, 2], 4), ([0, 0, 1, 2, 2, 2], 3), ([7, 7, 7, 7], 5)])
def test_with_groups_the_loss_and_its_gradient_are_those_of_a_loop(group, width, same_group):
    numbers = torch.Generator().manual_seed(0)
    first, second = (torch.randn(len(group), width, generator=numbers).requires_grad_() for _ in range(2))
    group = torch.tensor(group)

    ours, _ = nt_xent(first, second, 0.3, None if same_group else group)
    theirs = by_loop(first, second, group, 0.3, same_group=same_group)

    assert float(ours.detach()) == pytest.approx(float(theirs.detach()), rel=1e-5, abs=1e-6)
    for mine, other in zip(*(torch.autograd.grad(loss, [first, second]) for loss in (ours, theirs)), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6)


def test_groups_of_one_change_no_bit():
    first, second = torch.randn(2, 16, 8, generator=torch.Generator().manual_seed(0))

    ours, logits = nt_xent(first, second, 0.1, torch.arange(16))
    simclr, others = nt_xent(first, second, 0.1)

    assert torch.equal(ours, simclr)
    assert torch.equal(logits, others)


def test_a_batch_of_one_patient_has_nothing_to_tell_apart():
    first, second = torch.randn(2, 4, 8)
    assert float(nt_xent(first, second, 0.1, torch.zeros(4))[0]) == pytest.approx(0, abs=1e-6)
