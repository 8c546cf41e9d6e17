"""The loss of pseudo-labels is a plain loop's, and no gradient passes through those who guess."""

import pytest
import torch
from loss_checks import assert_same_with_gradients
from medssl_bench_methods.supervised.fixmatch_loss import pseudo_label_loss


def logits(seed):
    return (3 * torch.randn((9, 4), generator=torch.Generator().manual_seed(seed))).requires_grad_()


def by_hand(weak, strong, threshold):
    total, counted = torch.zeros(()), 0
    for guess, answer in zip(weak.detach().exp(), strong, strict=True):
        shares = (guess / guess.sum()).tolist()
        if max(shares) >= threshold:
            counted += 1
            chances = answer.exp() / answer.exp().sum()
            total = total - chances[shares.index(max(shares))].log()
    return total / len(weak), counted


@pytest.mark.parametrize(("threshold", "number"), [(0.0, 9), (0.6, None), (0.9, None)])
def test_it_is_a_plain_loops(threshold, number):
    weak, strong = logits(0), logits(1)
    found, share = pseudo_label_loss(weak, strong, threshold)
    theirs, counted = by_hand(weak, strong, threshold)
    assert 0 < counted < 9 if number is None else counted == number
    assert float(share) == pytest.approx(counted / 9)
    assert torch.autograd.grad(found, weak, retain_graph=True, allow_unused=True) == (None,)
    assert_same_with_gradients(found, theirs, [strong])


def test_above_1_nothing_counts():
    weak, strong = 100 * logits(0), logits(1)
    found, share = pseudo_label_loss(weak, strong, 1.01)
    assert (found.item(), share.item()) == (0.0, 0.0)
    assert not torch.autograd.grad(found, strong)[0].any()


def test_it_falls_where_strong_views_are_answered_as_weak_ones():
    weak = 10 * torch.eye(4)
    agreed, opposed = (float(pseudo_label_loss(weak, each, 0.95)[0]) for each in (weak, -weak))
    assert agreed < 0.01 < 1 < opposed
