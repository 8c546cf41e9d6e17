"""The weight gradient, tap by tap and as one product, against autograd's."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medssl_bench.encoders import weight_gradient as module
from medssl_bench.encoders.weight_gradient import beats_the_library, column_gradient, tap_gradient, weight_gradient

sides = st.integers(1, 9)


@pytest.mark.parametrize("way", [tap_gradient, column_gradient])
@settings(deadline=None)  # the first call of a process takes long, above all on a busy machine
@given(height=sides, width=sides, stride=st.integers(1, 2), batch=st.integers(1, 4))
def test_equals_autograd(way, height, width, stride, batch):
    torch.manual_seed(0)
    images = torch.randn(batch, 3, height, width, dtype=torch.float64)
    weight = torch.randn(5, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    result = torch.conv2d(images, weight, stride=stride, padding=1)
    gradient = torch.randn_like(result)
    result.backward(gradient)

    found = way(gradient, images, stride, torch.float64)

    torch.testing.assert_close(found, weight.grad)
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("way", [tap_gradient, column_gradient])
def test_the_result_has_the_type_asked_for(way):
    images, gradient = torch.randn(2, 3, 4, 4).bfloat16(), torch.randn(2, 5, 2, 2).bfloat16()

    assert way(gradient, images, 2, torch.float32).dtype == torch.float32


@pytest.mark.parametrize(
    ("units", "channels", "expected"),
    [(True, 128, "column_gradient"), (True, 256, "tap_gradient"), (False, 128, "tap_gradient")],
)
def test_units_for_matrices_want_one_large_product(monkeypatch, units, channels, expected):
    monkeypatch.setattr(module, "has_matrix_units", lambda: units)
    taken = []
    for name in ("column_gradient", "tap_gradient"):
        monkeypatch.setattr(module, name, lambda *_, name=name: taken.append(name))

    weight_gradient(torch.zeros(1, 4, 4, 4), torch.zeros(1, channels, 4, 4), 1, torch.float32)

    assert taken == [expected]


def test_without_them_the_librarys_is_left_alone_at_stride_1(monkeypatch):
    monkeypatch.setattr(module, "has_matrix_units", lambda: False)

    assert not beats_the_library(4, 4, 1)
    assert beats_the_library(7, 7, 2)
    assert not beats_the_library(17, 16, 2)
