"""The supervised contrastive loss is another library's, a plain loop's, and NT-Xent where all labels differ."""

import math

import pytest
import torch
from loss_checks import assert_same_with_gradients, vectors
from medssl_bench_methods.supervised.supcon_loss import sup_con
from pytorch_metric_learning.losses import SupConLoss

from medssl_bench.methods.ntxent import nt_xent

LABELS = torch.tensor([0, 2, 1, 0, 2, 2, 1])


def views(labels=LABELS, dim=5):
    return 3 * vectors(len(labels), dim), 2 * vectors(len(labels), dim, seed=1)  # of other lengths than 1


def by_hand(first, second, labels, temperature, weights):
    """Equation 2, view by view; the mean is weighted by class."""
    both, of = [*first, *second], [*labels.tolist()] * 2
    units = [each / each.norm() for each in both]
    total, count = torch.zeros(()), 0.0
    for i, anchor in enumerate(units):
        others = [a for a in range(len(units)) if a != i]
        below = sum((anchor @ units[a] / temperature).exp() for a in others)
        positives = [p for p in others if of[p] == of[i]]
        losses = [-(anchor @ units[p] / temperature - below.log()) for p in positives]
        total = total + weights[of[i]] * sum(losses) / len(losses)
        count += weights[of[i]]
    return total / count


@pytest.mark.parametrize("temperature", [0.07, 0.1, 0.5])
def test_it_is_another_librarys(temperature):
    first, second = views()
    theirs = SupConLoss(temperature=temperature)(torch.cat([first, second]), LABELS.repeat(2))
    assert_same_with_gradients(sup_con(first, second, LABELS, temperature), theirs, [first, second])


@pytest.mark.parametrize("weights", [None, [1.0, 0.25, 3.0]])
def test_it_is_a_plain_loops(weights):
    first, second = views()
    ours = sup_con(first, second, LABELS, 0.2, None if weights is None else torch.tensor(weights))
    assert_same_with_gradients(ours, by_hand(first, second, LABELS, 0.2, weights or [1.0] * 3), [first, second])


def test_where_all_labels_differ_it_is_nt_xent():
    first, second = views()
    labels = torch.arange(len(LABELS)).flip(0)
    assert_same_with_gradients(sup_con(first, second, labels, 0.1), nt_xent(first, second, 0.1)[0], [first, second])
    assert not torch.isclose(sup_con(first, second, LABELS, 0.1), nt_xent(first, second, 0.1)[0], rtol=1e-2)


def test_names_of_classes_do_not_matter_and_members_do():
    first, second = views()
    value = sup_con(first, second, LABELS, 0.1)
    torch.testing.assert_close(sup_con(first, second, torch.tensor([7, 3, 5])[LABELS], 0.1), value)
    assert not torch.isclose(sup_con(first, second, LABELS.roll(1), 0.1), value, rtol=1e-2)


def test_it_is_least_where_classes_are_apart():
    """All 2 n_c - 1 positives of a view at the same place, and nothing else near: each has an equal share."""
    corners = torch.eye(3)[LABELS]
    own = LABELS.bincount()[LABELS]
    least = (2 * own - 1).float().log().mean()
    assert float(sup_con(corners, corners, LABELS, 0.02)) == pytest.approx(float(least), abs=1e-4)
    assert float(sup_con(corners, corners, LABELS.roll(1), 0.02)) > 5 * float(least)


def test_autocast_rounds_nothing():
    first, second = (each.detach() for each in views(dim=64))
    with torch.autocast("cpu", torch.bfloat16):
        found = sup_con(first, second, LABELS, 0.1)
    assert found.dtype == torch.float32
    assert math.isclose(float(found), float(sup_con(first, second, LABELS, 0.1)), rel_tol=1e-6)
