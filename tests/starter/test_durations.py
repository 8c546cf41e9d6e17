"""Epochs that fit a time: the longest do, and the next would not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.errors import UserError
from medssl_bench.starter.durations import _EPOCHS, Lengths, fitting_lengths


@given(st.floats(0.01, 1000), st.floats(0.001, 100), st.floats(0, 100))
def test_the_longest_that_fit(hours, each, fixed):
    def seconds(lengths):
        return fixed + lengths.seeds * lengths.draws * each * (lengths.pretraining + lengths.tuning)

    try:
        found = fitting_lengths(seconds, hours)
    except UserError as error:
        assert seconds(Lengths(1, 1, 1)) > 0.9 * hours * 3600
        assert "--hours" in str(error)  # noqa: PT017
        return
    assert seconds(found) <= 0.9 * hours * 3600
    longer = [epochs for epochs in _EPOCHS if epochs > found.pretraining]
    assert not longer or seconds(Lengths(longer[0], found.draws, found.seeds)) > 0.9 * hours * 3600
    assert found.draws == 3 or seconds(Lengths(1, 3, 1)) > 0.9 * hours * 3600
    assert found.seeds == 3 or seconds(Lengths(50, 3, 3)) > 0.9 * hours * 3600
    assert found.seeds == 1 or (found.draws == 3 and found.pretraining >= 50), "long enough before it is repeated"


def test_the_time_that_is_proposed_is_enough():
    def seconds(lengths):
        return 60.0 * lengths.seeds * lengths.draws * (lengths.pretraining + lengths.tuning)

    with pytest.raises(UserError, match="too short") as caught:
        fitting_lengths(seconds, 0.01)
    hours = float(str(caught.value).split("--hours ")[2].split()[0])
    assert fitting_lengths(seconds, hours).pretraining == 1
