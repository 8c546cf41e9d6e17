"""The minibatches of a downstream epoch."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.evaluators.minibatches import minibatches

SEEDS = st.integers(0, 2**63 - 1)


@given(count=st.integers(1, 400), size=st.integers(1, 130), seed=SEEDS)
def test_every_image_comes_once(count, size, seed):
    batches = minibatches(count, size, seed)

    assert sorted(np.concatenate(batches).tolist()) == list(range(count))
    assert all(len(batch) == size for batch in batches[:-1])
    assert 1 <= len(batches[-1]) <= size


@given(count=st.integers(1, 100), size=st.integers(2, 32), seed=SEEDS)
def test_where_batches_are_normalised_an_image_that_would_be_alone_is_left_out(count, size, seed):
    batches = minibatches(count, size, seed, least=2)
    alone = count > size and count % size == 1

    assert len(set(np.concatenate(batches).tolist())) == count - alone
    assert count == 1 or all(len(batch) > 1 for batch in batches)


@given(count=st.integers(20, 60), seed=SEEDS)
def test_the_seed_decides_the_order(count, seed):
    first, again, other = (np.concatenate(minibatches(count, 64, s)) for s in (seed, seed, seed ^ 1))

    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_the_order_is_uniform():
    """Each of the 24 orders of 4 images is as likely: a chi-squared of 23 degrees of freedom stays below 49.7."""
    orders = [tuple(minibatches(4, 4, seed)[0]) for seed in range(2400)]
    counts = np.unique(orders, axis=0, return_counts=True)[1]

    assert len(counts) == 24
    assert ((counts - 100) ** 2 / 100).sum() < 49.7  # p = 0.001
