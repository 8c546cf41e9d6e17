"""NNCLR: neighbours against lightly's and scikit-learn's, the loss against a loop, and what the queue has."""

import math

import pytest
import torch
import torch.nn.functional as F
from lightly.models.modules import NNMemoryBankModule
from loss_checks import assert_same_with_gradients, vectors
from medssl_bench_methods.contrastive.infonce import info_nce
from medssl_bench_methods.contrastive.nnclr import nearest
from method_builders import NOW, batch_of, build
from sklearn.neighbors import NearestNeighbors


def test_neighbours_are_lightlys_and_scikit_learns():
    wanted, support = vectors(12, 6).detach(), vectors(50, 6, seed=1).detach()
    bank = NNMemoryBankModule(size=(50, 6))
    bank.bank = support
    found = nearest(wanted, support)
    torch.testing.assert_close(support[found], bank(wanted, update=False))
    theirs = NearestNeighbors(n_neighbors=1, metric="cosine").fit(support).kneighbors(wanted, return_distance=False)
    assert found.tolist() == theirs[:, 0].tolist()


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("shape", [(2, 3), (8, 4), (31, 16)])
def test_the_loss_is_eq_3(shape, seed):
    first, second = vectors(*shape, seed=seed), vectors(*shape, seed=seed + 9)
    a, b = first.double(), second.double()
    total = torch.zeros((), dtype=torch.float64)
    for i in range(shape[0]):
        terms = torch.stack([torch.exp(a[i] @ b[k] / 0.1) for k in range(shape[0])])
        total = total - torch.log(terms[i] / terms.sum())
    assert_same_with_gradients(info_nce(first, second, 0.1), total / shape[0], [first, second])


def test_it_is_averaged_over_both_directions_and_no_gradient_passes_through_neighbours():
    method = build("nnclr", queue=30, temperature=0.5).eval()
    batch = batch_of(16, 16)
    projected = [method.head(method.encoder(view)) for view in batch.views]
    predicted = [F.normalize(method.predictor(each), dim=1) for each in projected]
    support = method.queue.vectors
    expected = 0
    for mine, other in ((0, 1), (1, 0)):
        places = (F.normalize(projected[mine], dim=1) @ support.T).argmax(dim=1)
        expected += F.cross_entropy(support[places] @ predicted[other].T / 0.5, torch.arange(8)) / 2
    parameters = list(method.encoder.parameters())
    loss, _ = method(batch, NOW)
    torch.testing.assert_close(loss, expected)
    for ours, theirs in zip(
        torch.autograd.grad(loss, parameters), torch.autograd.grad(expected, parameters), strict=True
    ):
        torch.testing.assert_close(ours, theirs)


def test_with_its_own_projections_as_support_it_is_the_contrast_of_views():
    first, second = vectors(10, 8).detach(), vectors(10, 8, seed=1)
    places = nearest(first, first)
    assert places.tolist() == list(range(10))
    torch.testing.assert_close(info_nce(first[places], second, 0.1), info_nce(first, second, 0.1))


def test_projections_of_the_first_views_are_in_the_queue_after_the_look_up():
    method = build("nnclr", queue=12).train()
    batch = batch_of(16, 16)
    _, metrics = method(batch, NOW)
    assert metrics["own_neighbour"] == 0  # there was no image in the queue
    assert method.queue.index.tolist() == [*range(8), -1, -1, -1, -1]
    expected = F.normalize(method.head(method.encoder(batch.views[0])), dim=1)
    torch.testing.assert_close(method.queue.vectors[:8], expected)
    _, metrics = method(batch, NOW)
    assert metrics["own_neighbour"] > 0.9  # now the same views are
    assert math.isfinite(float(metrics["agreement"]))
