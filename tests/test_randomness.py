"""Random streams: named by purpose and axes, the same everywhere; and global generators that are put back."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.randomness import forked, generator, stream

AXES = st.dictionaries(
    st.sampled_from(["seed", "draw", "epoch", "step", "split"]), st.integers(-(2**70), 2**70) | st.text(max_size=8)
)


@pytest.mark.parametrize(
    ("purpose", "axes", "value"),
    [
        ("weights", {"seed": 0}, 8173088034588706840),
        ("weights", {"seed": 1}, 3137627647945208010),
        ("label draw", {"split": "train", "draw": 3}, 8522431880689297392),
        ("weights", {}, 5551047302632703350),
    ],
)
def test_golden_values(purpose: str, axes: dict[str, Any], value: int) -> None:
    """Results of earlier versions stay what they are: these must never change."""
    assert stream(purpose, **axes) == value


def test_golden_numbers() -> None:
    assert generator("label draw", split="train", draw=0).permutation(10).tolist() == [3, 6, 4, 2, 7, 1, 9, 0, 8, 5]


@given(st.text(max_size=10), AXES)
def test_the_order_of_axes_does_not_matter(purpose: str, axes: dict[str, Any]) -> None:
    value = stream(purpose, **axes)
    assert value == stream(purpose, **dict(reversed(axes.items())))
    assert 0 <= value < 2**63


@given(st.tuples(st.sampled_from(["a", "b", "weights"]), AXES), st.tuples(st.sampled_from(["a", "b", "weights"]), AXES))
def test_other_purposes_and_axes_are_other_streams(first: tuple[str, Any], second: tuple[str, Any]) -> None:
    def meaning(named: tuple[str, Any]) -> tuple[str, dict[str, str]]:
        return named[0], {name: str(value) for name, value in named[1].items()}

    if not any("\x1f" in str(value) for _, axes in (first, second) for value in axes.values()):
        same = stream(first[0], **first[1]) == stream(second[0], **second[1])
        assert same == (meaning(first) == meaning(second))


def test_no_two_streams_of_a_whole_run_are_the_same() -> None:
    purposes = ["weights", "batches", "views", "label draw", "probe"]
    found = {stream(p, seed=s, epoch=e) for p in purposes for s in range(20) for e in range(200)}
    assert len(found) == len(purposes) * 20 * 200


def test_streams_are_the_same_in_another_process() -> None:
    code = "from medssl_bench.randomness import stream; print(stream('weights', seed=5, split='val'))"
    environment = {"PYTHONHASHSEED": "123"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) == stream("weights", seed=5, split="val")


def _states() -> tuple[Any, ...]:
    legacy: Any = np.random.get_state()  # noqa: NPY002
    return torch.random.get_rng_state().tolist(), random.getstate(), legacy[1].tolist(), legacy[2:]


def _numbers() -> tuple[list[float], float, float]:
    return torch.rand(3).tolist(), random.random(), float(np.random.rand())  # noqa: NPY002


def test_forked_numbers_are_those_of_the_seed() -> None:
    with forked(2**62 + 5):
        first = _numbers()
        inner = _states()
        with forked(7):
            _numbers()
        assert _states() == inner, "one inside the other"
    with forked(2**62 + 5):
        assert _numbers() == first
    with forked(1):
        assert _numbers() != first


def _leave_well() -> None:
    return


def _raise() -> None:
    raise RuntimeError("inside")


def _interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("leave", "error"), [(_leave_well, None), (_raise, RuntimeError), (_interrupt, KeyboardInterrupt)]
)
def test_forked_puts_every_generator_back(leave: Callable[[], None], error: type[BaseException] | None) -> None:
    before = _states()
    with nullcontext() if error is None else pytest.raises(error), forked(3):
        _numbers()
        assert _states() != before
        leave()
    assert _states() == before


def test_what_was_drawn_before_goes_on_as_if_nothing_had_been() -> None:
    with forked(11):
        undisturbed = [_numbers(), _numbers()]
    with forked(11):
        disturbed = [_numbers()]
        with forked(12):
            _numbers()
        disturbed.append(_numbers())
    assert disturbed == undisturbed
