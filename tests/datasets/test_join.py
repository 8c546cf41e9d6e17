from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medssl_bench.datasets import Images, Split
from medssl_bench.datasets.join import join
from medssl_bench.errors import DataError

GREY = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4)
COLOUR = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)


def test_one_part_is_not_copied():
    assert join([Images(GREY)], [0]).images is GREY


def test_grey_images_get_three_equal_channels():
    found = join([Images(GREY), Split(COLOUR, np.zeros((2, 1), np.int64))], [0, 1])
    assert np.array_equal(found.images, np.concatenate([np.stack([GREY] * 3, axis=-1), COLOUR]))
    assert join([Images(GREY), Images(GREY)], [0, 1]).images.shape == (6, 4, 4), "grey alone stays grey"


def test_without_groups_the_set_is_the_group():
    assert join([Images(GREY), Images(GREY)], [0, 0]).groups is None
    assert join([Images(GREY), Images(GREY), Images(COLOUR)], [0, 0, 1]).groups.tolist() == [0] * 6 + [1] * 2


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.one_of(st.none(), st.lists(st.integers(-1, 4), max_size=5))),
        min_size=2,
        max_size=5,
    )
)
def test_groups_of_two_sets_stay_apart(drawn):
    parts = [
        Images(np.zeros((3 if own is None else len(own), 4, 4), np.uint8), None if own is None else np.array(own, int))
        for _, own in drawn
    ]
    sets = [number for number, _ in drawn]
    found = join(parts, sets).groups
    if all(own is None for _, own in drawn):
        return
    names = []
    for place, (number, own) in enumerate(drawn):
        names += [("alone", place, each) for each in range(3)] if own is None else [(number, each) for each in own]
    assert len(found) == len(names)
    for one, first in enumerate(names):
        for other, second in enumerate(names):
            assert (found[one] == found[other]) == (first == second)


def test_what_does_not_fit_into_memory_is_refused():
    vast = np.lib.stride_tricks.as_strided(GREY, (2**40, 4, 4), (0, 4, 1))
    with pytest.raises(DataError, match="images of 4 pixels of a pool would take 32,768"):
        join([Images(vast), Images(vast)], [0, 0])
