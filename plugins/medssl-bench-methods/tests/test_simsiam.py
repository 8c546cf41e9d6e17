"""SimSiam: its loss against lightly's, the stopped gradient, and the predictor's learning rate."""

import pytest
import torch
from lightly.loss import NegativeCosineSimilarity
from method_builders import NOW, batch_of, build


def test_the_loss_is_lightlys_with_gradients():
    method, batch = build("simsiam").eval(), batch_of(16, 16)
    cosine = NegativeCosineSimilarity()
    first, second = (method.head(method.encoder(view)) for view in batch.views)
    theirs = cosine(method.predictor(first), second.detach()) + cosine(method.predictor(second), first.detach())
    ours, _ = method(batch, NOW)
    torch.testing.assert_close(ours, theirs / 2)
    parameters = [p for p in method.parameters() if p.requires_grad]
    for mine, other in zip(
        torch.autograd.grad(ours, parameters), torch.autograd.grad(theirs / 2, parameters), strict=True
    ):
        torch.testing.assert_close(mine, other)


def test_the_order_of_views_does_not_count():
    method, batch = build("simsiam").eval(), batch_of(16, 16)
    turned = type(batch)(batch.views[::-1], batch.image, batch.index)
    torch.testing.assert_close(method(batch, NOW)[0], method(turned, NOW)[0])


def test_projections_are_normalised_without_a_learnt_scale():
    head = build("simsiam").head
    assert not head[-1].affine
    assert head[1].affine


@pytest.mark.parametrize("rate", ["constant", "schedule"])
def test_the_predictor_has_a_group_of_its_own_where_its_rate_is_constant(rate):
    method = build("simsiam", predictor_rate=rate)
    groups = method.parameter_groups(0.1)
    flags = {id(p): group.get("constant_lr", False) for group in groups for p in group["params"]}
    assert flags.keys() == {id(p) for p in method.parameters()}
    assert all(group["weight_decay"] == 0.1 for group in groups)
    assert {flags[id(p)] for p in method.predictor.parameters()} == {rate == "constant"}
    assert not any(flags[id(p)] for p in [*method.encoder.parameters(), *method.head.parameters()])
