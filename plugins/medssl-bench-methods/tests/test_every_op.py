"""What holds for every op: nothing waits for the device, a probability of 0 is the identity, values stay in [0, 1]."""

import pytest
import torch
from medssl_bench_methods.ops import components as ops
from torch._subclasses.fake_tensor import FakeTensorMode

SIZE = 28
EVERY = [ops.elastic, ops.bezier, ops.energy_bands, ops.local_shuffle, ops.inpaint, ops.outpaint, ops.swap_patches]
every_op = pytest.mark.parametrize("factory", EVERY, ids=lambda factory: factory.__name__)


def test_every_op_is_tested_here():
    found = []
    ops.medssl_ops(lambda name, _factory: found.append(name))
    assert found == [factory.__name__ for factory in EVERY]


@every_op
def test_nothing_waits_for_the_device(factory):
    op = factory(SIZE, p=0.5)
    with FakeTensorMode():
        images = torch.rand(4, 3, SIZE, SIZE, device="cuda")
        views = op(images, torch.rand(4, 1 + op.draws(3, SIZE, SIZE), device="cuda"))
    assert (views.shape, views.device.type) == (images.shape, "cuda")


@every_op
@pytest.mark.parametrize("side", [28, 12, 5])
@pytest.mark.parametrize("edge", [None, 0.0, 1 - 2.0**-24])
def test_values_stay_between_0_and_1(factory, side, edge):
    op = factory(side, p=1.0)
    images = torch.cat([torch.rand(4, 3, side, side), torch.zeros(1, 3, side, side), torch.ones(1, 3, side, side)])
    uniforms = (
        torch.rand(6, 1 + op.draws(3, side, side))
        if edge is None
        else torch.full((6, 1 + op.draws(3, side, side)), edge)
    )
    before = images.clone()
    views = op(images, uniforms)
    assert ((views >= 0) & (views <= 1)).all()
    assert torch.equal(images, before)


@every_op
def test_a_probability_of_nothing_is_the_identity(factory):
    op, images = factory(SIZE, p=0.0), torch.rand(4, 3, SIZE, SIZE)
    assert torch.equal(op(images, torch.rand(4, 1 + op.draws(3, SIZE, SIZE))), images)


@every_op
def test_views_of_the_geometry_alone_have_elastic_and_no_other(factory):
    assert factory(SIZE).geometric == (factory is ops.elastic)
