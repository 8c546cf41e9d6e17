"""SimCLRv2: NT-Xent with a queue, and the encoder that ends with the first layer of the head."""

import pytest
import torch
import torch.nn.functional as F
from lightly.loss import NTXentLoss
from loss_checks import assert_same_with_gradients, vectors
from medssl_bench_methods.contrastive.headed import Headed
from medssl_bench_methods.contrastive.simclr2 import nt_xent_with
from method_builders import NOW, REGISTRY, batch_of, build, tiny_encoder


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("batch", "queue", "width"), [(3, 5, 4), (8, 1, 8), (5, 40, 16)])
def test_older_projections_are_negatives_beside_those_of_the_batch(batch, queue, width, seed):
    first, second = vectors(batch, width, seed=seed), vectors(batch, width, seed=seed + 4)
    older = vectors(queue, width, seed=seed + 8).detach()
    z, total = F.normalize(torch.cat([first, second]).double(), dim=1), 0
    for i in range(2 * batch):
        own = torch.exp(z[i] @ z[(i + batch) % (2 * batch)] / 0.1)
        others = [torch.exp(z[i] @ z[k] / 0.1) for k in range(2 * batch) if k != i]
        others += [torch.exp(z[i] @ old / 0.1) for old in older.double()]
        total = total - torch.log(own / torch.stack(others).sum())
    assert_same_with_gradients(nt_xent_with(older, first, second, 0.1), total / (2 * batch), [first, second])


def test_without_a_queue_the_loss_is_lightlys():
    method, batch = build("simclr2", temperature=0.3).eval(), batch_of(16, 16)
    first, second = (method.head(method.encoder(view)) for view in batch.views)
    torch.testing.assert_close(method(batch, NOW)[0], NTXentLoss(temperature=0.3)(first, second))


def test_the_queue_has_the_average_of_the_second_views():
    method, batch = build("simclr2", queue=10).train(), batch_of(16, 16)
    method(batch, NOW)
    expected = F.normalize(method.teacher_head(method.teacher(batch.views[1])), dim=1)
    torch.testing.assert_close(method.queue.vectors[:8], expected)
    method(batch, NOW)[0].backward()
    assert all(p.grad is None for p in method.teacher.parameters())


def test_the_first_layer_of_the_head_stays_with_the_encoder():
    torch.manual_seed(0)
    encoder = Headed(tiny_encoder(), 24).eval()
    images = torch.rand(5, 3, 16, 16)
    linear, norm, _ = encoder.layer
    expected = F.relu(norm(F.linear(encoder.base(images), linear.weight)))
    assert encoder.dim == 24
    torch.testing.assert_close(encoder(images), expected)
    method = build("simclr2", encoder=encoder)
    linears = [layer for layer in [*method.encoder.layer, *method.head] if isinstance(layer, torch.nn.Linear)]
    assert len(linears) == 3


def test_it_is_an_encoder_of_suites():
    base = {"name": "timm", "model": "test_resnet"}
    made = REGISTRY.build(REGISTRY.resolve_or_raise("encoder", {"name": "headed", "base": base}), size=28)
    assert made.dim == made.base.dim
    assert made.recordable
    assert REGISTRY.build(REGISTRY.resolve_or_raise("encoder", "simclr2_resnet18"), size=28).dim == 512
