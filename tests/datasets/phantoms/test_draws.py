from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.datasets.phantoms.random_rows import Draws, choose

SHARES = st.lists(st.integers(1, 20), min_size=1, max_size=9).map(lambda parts: [p / sum(parts) for p in parts])


@given(SHARES, st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=30))
def test_a_class_is_chosen_where_the_cumulative_share_passes(shares, values):
    chosen = choose(shares, np.array(values))

    edges = [0.0, *np.cumsum(shares)[:-1], 1.0]
    assert all(edges[c] <= v < edges[c + 1] for c, v in zip(chosen, values, strict=True))


def test_classes_come_in_their_shares():
    chosen = choose([0.1, 0.6, 0.3], np.random.default_rng(0).random((5000, 1)))

    assert chosen.shape == (5000, 1)
    assert chosen.dtype == np.int64
    assert np.bincount(chosen[:, 0]) / 5000 == pytest.approx([0.1, 0.6, 0.3], abs=0.02)


@given(st.integers(1, 5), st.lists(st.floats(-2, 2, width=32), min_size=3, max_size=3))
def test_uniform_keeps_to_the_bounds_of_each_row(count, low):
    first = np.float32(low)
    values = Draws(np.random.default_rng(0), 3).uniform(first, first + 1, count)

    assert values.shape == (3, count)
    assert values.dtype == np.float32
    assert ((values >= first[:, None]) & (values <= first[:, None] + 1)).all()
