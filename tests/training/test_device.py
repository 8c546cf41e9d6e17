"""Which device is computed on."""

from __future__ import annotations

import pytest
import torch

from medssl_bench.errors import UserError
from medssl_bench.training.device import find_device


def test_auto_takes_an_accelerator_if_there_is_one():
    expected = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"

    assert find_device("auto").type == expected


def test_the_cpu_is_everywhere():
    assert find_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "", "cpu:x"])
def test_a_device_that_is_not_here_is_refused_in_one_line(name):
    with pytest.raises(UserError, match="there is no such device here; try auto, cpu, cuda or mps") as caught:
        find_device(name)

    assert "\n" not in str(caught.value)
