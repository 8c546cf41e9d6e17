"""The sheet shows both images of a pair, the second turned as the first lies."""

from __future__ import annotations

import numpy as np

from medssl_bench.datasets.turns import TURNS, turn_between, turned
from medssl_bench.figures.pairs import pairs_sheet, stacked


def test_both_images_of_a_pair_look_the_same_on_the_sheet():
    rng = np.random.default_rng(0)
    for channels in (1, 3):
        shape = (28, 28, 3) if channels == 3 else (28, 28)
        images = rng.integers(0, 256, (8, *shape), np.uint8)
        pairs = []
        for turn in TURNS:
            other = turned(images[turn], turn)
            pairs.append((images[turn], other, turn_between(images[turn], other)))
        sheet = np.asarray(pairs_sheet(pairs, [("near copy 0.99", "train 1", "a very long name " * 20)] * 8))
        wide, high = sheet.shape[1] // 6, sheet.shape[0] // 2
        for place in range(8):
            cell = sheet[place // 6 * high :, place % 6 * wide :]
            left, right = cell[2:86, 2:86], cell[2:86, 88:172]
            np.testing.assert_array_equal(left, right)
            np.testing.assert_array_equal(
                left[::3, ::3], images[place] if channels == 3 else images[place][..., None].repeat(3, 2)
            )


def test_large_images_keep_their_pixels_and_sheets_are_stacked():
    image = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    one = pairs_sheet([(image, image, 0)], [("a",)])
    np.testing.assert_array_equal(np.asarray(one)[2:102, 2:102], image)
    both = stacked([one, one])
    assert both.size == (one.width, 2 * one.height)
