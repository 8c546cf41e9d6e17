"""The weight gradient tap by tap, against autograd's."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.encoders.tap_gradient import tap_gradient

sides = st.integers(1, 9)


@given(height=sides, width=sides, stride=st.integers(1, 2), batch=st.integers(1, 4))
def test_equals_autograd(height, width, stride, batch):
    torch.manual_seed(0)
    images = torch.randn(batch, 3, height, width, dtype=torch.float64)
    weight = torch.randn(5, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    result = torch.conv2d(images, weight, stride=stride, padding=1)
    gradient = torch.randn_like(result)
    result.backward(gradient)

    found = tap_gradient(gradient, images, stride, torch.float64)

    torch.testing.assert_close(found, weight.grad)
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_the_result_has_the_type_asked_for():
    images, gradient = torch.randn(2, 3, 4, 4).bfloat16(), torch.randn(2, 5, 2, 2).bfloat16()

    assert tap_gradient(gradient, images, 2, torch.float32).dtype == torch.float32
