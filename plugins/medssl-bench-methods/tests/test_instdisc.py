"""Instance discrimination: its losses against torch, scikit-learn and a loop, and its memory."""

import pytest
import torch
import torch.nn.functional as F
from loss_checks import assert_same_with_gradients, vectors
from medssl_bench_methods.contrastive.instdisc import drawn_loss, memory_loss
from method_builders import NOW, batch_of, build
from sklearn.metrics.pairwise import cosine_similarity

from medssl_bench.methods import MethodContext


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("batch", "images", "width"), [(4, 4, 3), (8, 100, 16), (5, 33, 7)])
def test_the_loss_is_the_softmax_over_all_images(batch, images, width, seed):
    inputs, memory = vectors(batch, width, seed=seed), vectors(images, width, seed=seed + 3).detach()
    index = torch.randperm(images, generator=torch.Generator().manual_seed(seed))[:batch]
    terms = torch.exp(inputs.double() @ memory.double().T / 0.07)
    theirs = -torch.log(terms[torch.arange(batch), index] / terms.sum(dim=1)).mean()

    ours, nearest = memory_loss(inputs, memory, index, 0.07)

    assert_same_with_gradients(ours, theirs, [inputs])
    found = cosine_similarity(inputs.detach(), memory).argmax(axis=1)
    assert nearest == pytest.approx((found == index.numpy()).mean())


def test_with_the_batch_as_memory_it_is_the_contrast_of_the_batch():
    first, second = vectors(9, 5), vectors(9, 5, seed=1)
    expected = F.cross_entropy(first @ second.T / 0.1, torch.arange(9))
    torch.testing.assert_close(memory_loss(first, second, torch.arange(9), 0.1)[0], expected)


def test_a_draw_of_every_other_image_once_gives_the_exact_loss():
    inputs, memory, index = vectors(6, 4), vectors(20, 4, seed=1).detach(), torch.arange(6)
    is_own = index[:, None] == torch.arange(20)
    ours = drawn_loss(inputs, memory[index], memory, is_own, 19, 0.07)
    assert_same_with_gradients(ours, memory_loss(inputs, memory, index, 0.07)[0], [inputs])


def test_a_draw_estimates_the_sum_over_all_others():
    inputs, memory, index = vectors(4, 4), vectors(200, 4, seed=1).detach(), torch.arange(4)
    draws = torch.Generator().manual_seed(0)
    found = []
    for _ in range(200):
        places = torch.randint(200, (50,), generator=draws)
        is_own = index[:, None] == places
        found.append(drawn_loss(inputs, memory[index], memory[places], is_own, 199, 0.5).item())
    exact = memory_loss(inputs, memory, index, 0.5)[0].item()
    assert sum(found) / len(found) == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("parameters", [{}, {"negatives": 7}, {"proximal": 2.0}])
def test_only_entries_of_the_batch_move_and_they_keep_length_1(parameters):
    method = build("instdisc", momentum=0.25, **parameters).train()
    before, batch = method.memory.clone(), batch_of(16)
    with torch.no_grad():
        made = F.normalize(method.head(method.encoder(batch.views[0])), dim=1)

    method(batch, NOW)

    torch.testing.assert_close(method.memory[:8], F.normalize(0.25 * before[:8] + 0.75 * made, dim=1))
    assert torch.equal(method.memory[8:], before[8:])
    torch.testing.assert_close(method.memory.norm(dim=1), torch.ones(60))


def test_the_proximal_term_is_the_squared_distance_to_the_memory():
    plain, near = build("instdisc").train(), build("instdisc", proximal=3.0).train()
    batch, own = batch_of(16), plain.memory[:8].clone()
    with torch.no_grad():
        made = F.normalize(plain.head(plain.encoder(batch.views[0])), dim=1)
    expected = plain(batch, NOW)[0] + 3 * (made - own).square().sum(dim=1).mean()
    torch.testing.assert_close(near(batch, NOW)[0], expected)


def test_large_data_sets_draw_negatives():
    assert build("instdisc", context=MethodContext(16, 50_001)).negatives == 4096
    assert build("instdisc", context=MethodContext(16, 50_000)).negatives is None


def test_a_trained_memory_knows_its_own_images():
    method = build("instdisc").train()
    optimizer = torch.optim.Adam(method.parameters(), lr=2e-3)
    batch = batch_of(16)
    for _ in range(25):
        loss, metrics = method(batch, NOW)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert metrics["top1"] == 1
