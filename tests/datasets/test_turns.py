"""The eight positions of an image, and copies in any of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.datasets.turns import TURNS, turn_between, turned, turned_digests


def test_the_eight_positions_differ_and_come_back():
    image = np.arange(9).reshape(3, 3)
    assert len({turned(image, turn).tobytes() for turn in TURNS}) == 8
    for turn in TURNS:
        back = turn_between(image, turned(image, turn))
        assert back is not None
        np.testing.assert_array_equal(turned(turned(image, turn), back), image)
    assert turn_between(image, image + 1) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 7)), min_size=1, max_size=12), st.sampled_from([1, 3]))
def test_numbers_are_equal_for_turned_images_and_for_no_others(drawn, channels):
    rng = np.random.default_rng(0)
    one = rng.integers(0, 256, (4, 4, channels), np.uint8)
    shuffled = one.reshape(16, channels)[rng.permutation(16)].reshape(one.shape)  # the same values at other places
    originals = [one, shuffled, rng.integers(0, 256, one.shape, np.uint8), np.zeros_like(one)]
    images = np.stack([turned(originals[which], turn) for which, turn in drawn])
    images = images if channels == 3 else images[..., 0]
    half = len(images) // 2

    numbers = np.concatenate(turned_digests([images[:half], images[half:]]))

    which = np.array([which for which, _ in drawn])
    np.testing.assert_array_equal(numbers[:, None] == numbers[None], which[:, None] == which[None])
