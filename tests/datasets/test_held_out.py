from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from medssl_bench.datasets.held_out import draw_held_out, held_out


@settings(deadline=None)
@given(st.integers(0, 30_000))
def test_a_tenth_is_held_out_and_never_much(total):
    number = held_out(total)
    assert number == (0 if total < 20 else min(1000, total // 10))
    places = draw_held_out(total)
    assert len(places) == len(set(places.tolist())) == number
    assert all(0 <= place < total for place in places.tolist())
    assert np.array_equal(places, np.sort(places))
    assert np.array_equal(places, draw_held_out(total)), "the same ones every time"


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=20, max_size=200))
def test_no_more_than_one_group_is_cut(groups):
    groups = np.array(groups)
    places = draw_held_out(len(groups), groups)
    assert len(places) == held_out(len(groups))
    cut = set(groups[places].tolist()) & set(np.delete(groups, places).tolist())
    assert len(cut) <= 1
