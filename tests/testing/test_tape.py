"""The tape plays back as a CUDA graph does: same memory, no Python."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from medssl_bench.testing.tape import Tape


def test_recording_does_nothing_and_playing_back_does_it_with_what_is_there_then():
    given, total = torch.ones(3), torch.zeros(3)

    def work() -> None:
        total.add_(given * 2)

    play = Tape().record(work)
    assert total.tolist() == [0, 0, 0]
    play()
    given.fill_(10)
    play()
    assert total.tolist() == [22, 22, 22]


def test_results_are_where_they_were():
    given, results = torch.ones(2), []
    play = Tape().record(lambda: results.append((given + 1).square()))
    given.fill_(2)
    play()

    assert results[0].tolist() == [9, 9]


def test_what_python_decides_is_fixed():
    given, calls, total = torch.ones(()), [], torch.zeros(())

    def work() -> None:
        calls.append(1)
        total.add_(given * len(calls))

    play = Tape().record(work)
    for _ in range(3):
        play()

    assert float(total) == 3, "a count that Python keeps stands still"


def test_a_value_cannot_be_read_back():
    with pytest.raises(RuntimeError, match="read back"):
        Tape().record(lambda: float(torch.ones(())))


def test_what_was_changed_before_it_failed_is_as_it_was():
    total = torch.zeros(2)

    def work() -> None:
        total.add_(1)
        total.sum().item()

    with pytest.raises(RuntimeError, match="read back"):
        Tape().record(work)
    assert total.tolist() == [0, 0]


def test_gradients_and_batch_statistics_are_played_back():
    torch.manual_seed(0)
    layer, images = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)), torch.randn(8, 4)

    def work() -> None:
        layer.zero_grad(set_to_none=True)
        layer(images).square().sum().backward()

    work()
    play = Tape().record(work)
    other = torch.randn(8, 4)
    statistics = layer[1].running_mean.clone()
    images.copy_(other)
    play()
    found = [parameter.grad.clone() for parameter in layer.parameters()]
    with torch.no_grad():
        expected_mean = 0.9 * statistics + 0.1 * layer[0](other).mean(0)

    torch.testing.assert_close(layer[1].running_mean, expected_mean)
    work()
    for gradient, parameter in zip(found, layer.parameters(), strict=True):
        assert torch.equal(gradient, parameter.grad)
