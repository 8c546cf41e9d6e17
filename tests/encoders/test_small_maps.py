"""Convolutions on small maps equal the ordinary ones, in outputs and gradients."""

from __future__ import annotations

import copy

import pytest
import timm
import torch
from torch import nn

from medssl_bench.encoders import weight_gradient
from medssl_bench.encoders.small_maps import SmallMapConv2d, use_small_map_convolutions


@pytest.mark.parametrize("height", [1, 2, 3, 4])
@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_equals_the_convolution(height, width, stride, memory_format):
    torch.manual_seed(0)
    plain = nn.Conv2d(5, 7, 3, stride=stride, padding=1, bias=False).double()
    small = copy.deepcopy(plain)
    assert use_small_map_convolutions(nn.Sequential(small)) == 1
    images = torch.randn(4, 5, height, width, dtype=torch.float64).to(memory_format=memory_format)
    inputs = [images.clone(memory_format=torch.preserve_format).requires_grad_() for _ in range(2)]
    wanted, found = plain(inputs[0]), small(inputs[1])
    torch.testing.assert_close(found, wanted)
    weights = torch.randn_like(wanted)
    (wanted * weights).sum().backward()
    (found * weights).sum().backward()
    torch.testing.assert_close(inputs[1].grad, inputs[0].grad)
    torch.testing.assert_close(small.weight.grad, plain.weight.grad)


@pytest.mark.parametrize("model", ["resnet18", "resnet50"])
@pytest.mark.parametrize("size", [28, 40, 64])
def test_a_whole_encoder_is_the_same(model, size):
    """Also where the maps become small only in the last stage, as at 40 and 64 pixels."""
    torch.manual_seed(0)
    plain = timm.create_model(model, num_classes=0, zero_init_last=False).double()
    small = copy.deepcopy(plain)
    assert use_small_map_convolutions(small) > 0
    assert plain.state_dict().keys() == small.state_dict().keys()
    images = torch.rand(8, 3, size, size, dtype=torch.float64)
    wanted, found = plain(images), small(images)
    torch.testing.assert_close(found, wanted)
    wanted.square().sum().backward()
    found.square().sum().backward()
    for (name, before), after in zip(plain.named_parameters(), small.parameters(), strict=True):
        torch.testing.assert_close(
            after.grad,
            before.grad,
            rtol=1e-6,
            atol=1e-6 * float(before.grad.abs().max()),
            msg=lambda text, name=name: f"{name}: {text}",
        )


@pytest.mark.parametrize(
    "other",
    [
        nn.Conv2d(4, 4, 3, padding=1),
        nn.Conv2d(4, 4, 3, padding=1, bias=False, groups=2),
        nn.Conv2d(4, 4, 3, padding=2, bias=False, dilation=2),
        nn.Conv2d(4, 4, 3, bias=False),
        nn.Conv2d(4, 4, 3, padding=1, bias=False, padding_mode="reflect"),
        nn.Conv2d(4, 4, 1, bias=False),
        nn.Conv2d(4, 4, 3, padding=1, stride=(2, 1), bias=False),
        nn.Conv2d(4, 4, 1, stride=2),
        nn.Conv2d(4, 4, 1, stride=2, padding=1, bias=False),
    ],
)
def test_others_stay_as_they_are(other):
    assert use_small_map_convolutions(nn.Sequential(other)) == 0
    assert type(other) is nn.Conv2d


def test_bfloat16_follows():
    torch.manual_seed(0)
    plain = nn.Conv2d(16, 16, 3, padding=1, bias=False)
    small = copy.deepcopy(plain)
    use_small_map_convolutions(nn.Sequential(small))
    assert isinstance(small, SmallMapConv2d)
    images = torch.randn(8, 16, 2, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = small(images)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), plain(images), atol=0.05, rtol=0.05)


@pytest.mark.parametrize("side", [1, 2])
def test_an_empty_batch_gives_an_empty_map(side):
    small = nn.Conv2d(5, 7, 3, padding=1, bias=False)
    use_small_map_convolutions(nn.Sequential(small))
    assert small(torch.zeros(0, 5, side, side)).shape == (0, 7, side, side)


@pytest.mark.parametrize("height", [1, 2, 5, 8])
@pytest.mark.parametrize("width", [1, 2, 6])
def test_a_strided_1x1_convolution_is_the_same(height, width):
    torch.manual_seed(0)
    plain = nn.Conv2d(5, 7, 1, stride=2, bias=False).double()
    small = copy.deepcopy(plain)
    assert use_small_map_convolutions(nn.Sequential(small)) == 1
    images = torch.randn(4, 5, height, width, dtype=torch.float64).to(memory_format=torch.channels_last)
    wanted, found = outcome(plain, images), outcome(small, images)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("units", [True, False])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("side", [3, 4, 5, 7, 8, 16, 17])
def test_in_bfloat16_it_has_the_gradients_of_the_librarys(monkeypatch, side, stride, units):
    monkeypatch.setattr(weight_gradient, "has_matrix_units", lambda: units)
    torch.manual_seed(0)
    plain = nn.Conv2d(16, 24, 3, stride=stride, padding=1, bias=False).to(memory_format=torch.channels_last)
    small = copy.deepcopy(plain)
    use_small_map_convolutions(nn.Sequential(small))
    images = torch.randn(6, 16, side, side).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = outcome(small, images)
    for one, other in zip(found, outcome(plain, images), strict=True):
        assert float((one - other).norm() / other.norm()) < 0.01


def outcome(convolution: nn.Module, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return a convolution's result and its gradients, of the images and of the weight."""
    images = images.clone(memory_format=torch.preserve_format).requires_grad_()
    result = convolution(images)
    torch.manual_seed(1)
    (result.to(images.dtype) * torch.randn(result.shape, dtype=images.dtype)).sum().backward()
    return result.detach().to(images.dtype), images.grad, convolution.weight.grad
