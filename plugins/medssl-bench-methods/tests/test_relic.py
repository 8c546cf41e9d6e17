"""ReLIC: its contrast, its divergence against torch's, and its moving average."""

import pytest
import torch
from loss_checks import assert_same_with_gradients, vectors
from medssl_bench_methods.contrastive.infonce import info_nce
from medssl_bench_methods.contrastive.relic import relic_loss
from method_builders import NOW, batch_of, build
from torch.distributions import Categorical, kl_divergence


def four(batch, width, seed):
    students = tuple(vectors(batch, width, seed=seed + k) for k in range(2))
    teachers = tuple(vectors(batch, width, seed=seed + 7 + k).detach() for k in range(2))
    return students, teachers


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("shape", [(2, 3), (8, 4), (21, 16)])
def test_without_divergence_it_is_info_nce_of_both_directions(shape, seed):
    students, teachers = four(*shape, seed)
    ours, _ = relic_loss(students, teachers, 0.0, 0.2)
    theirs = (info_nce(students[0], teachers[1], 0.2) + info_nce(students[1], teachers[0], 0.2)) / 2
    assert_same_with_gradients(ours, theirs, list(students))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("shape", [(2, 3), (8, 4), (21, 16)])
def test_the_divergence_is_that_of_torch(shape, seed):
    students, teachers = four(*shape, seed)
    logits = [students[0] @ teachers[1].T / 0.2, students[1] @ teachers[0].T / 0.2]
    theirs = 0
    for wanted, said in (logits, logits[::-1]):
        theirs += kl_divergence(Categorical(logits=wanted.detach()), Categorical(logits=said)).mean() / 2
    ours = relic_loss(students, teachers, 1.0, 0.2)[0] - relic_loss(students, teachers, 0.0, 0.2)[0]
    assert_same_with_gradients(ours, theirs, list(students))
    assert relic_loss(students, teachers, 3.0, 0.2)[1] == pytest.approx(theirs.item(), rel=1e-4)


def test_equal_answers_do_not_diverge():
    student, teacher = vectors(6, 4), vectors(6, 4, seed=1).detach()
    assert relic_loss((student, student), (teacher, teacher), 1.0, 0.2)[1] == pytest.approx(0, abs=1e-6)


def test_no_gradient_reaches_the_average_and_it_moves():
    method = build("relic", momentum=0.5, keep="teacher").train()
    method(batch_of(16, 16), NOW)[0].backward()
    assert all(p.grad is None for p in method.encoder.parameters())
    before = [p.clone() for p in method.encoder.parameters()]
    with torch.no_grad():
        for parameter in method.student.parameters():
            parameter.add_(1.0)
    method.after_step(NOW)
    for old, average, current in zip(before, method.encoder.parameters(), method.student.parameters(), strict=True):
        torch.testing.assert_close(average, (old + current) / 2)
