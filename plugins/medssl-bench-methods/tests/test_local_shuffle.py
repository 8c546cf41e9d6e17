"""Local shuffling: a plain loop, the histogram, and that every order is as likely."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
import torch
from medssl_bench_methods.ops.shuffling import LocalShuffle
from scipy.stats import chisquare


def by_hand(image, uniforms, windows, sides):
    """Shuffle one window after the other; the pixels of a window are sorted by their numbers."""
    image = image.copy()
    height, width = image.shape
    largest = min(sides[1], height, width)
    smallest = min(sides[0], largest)
    for drawn in uniforms.reshape(windows, -1):
        high, wide = (smallest + int(u * (largest - smallest + 1)) for u in drawn[:2])
        top, left = int(drawn[2] * (height - high + 1)), int(drawn[3] * (width - wide + 1))
        window = np.s_[top : top + high, left : left + wide]
        order = drawn[4:].reshape(largest, largest)[:high, :wide].ravel().argsort()
        image[window] = image[window].ravel()[order].reshape(high, wide)
    return image


@pytest.mark.parametrize(
    ("shape", "windows", "sides"),
    [((28, 28), 10, (2, 5)), ((11, 17), 4, (1, 3)), ((4, 9), 5, (2, 6)), ((5, 5), 1, (5, 5))],
)
def test_it_shuffles_as_a_plain_loop(shape, windows, sides):
    op, numbers = LocalShuffle(windows, sides), np.random.default_rng(0)
    images = numbers.random((8, *shape), np.float32)
    uniforms = numbers.random((8, op.draws(1, *shape)), np.float32)

    found = op.transform(torch.tensor(images)[:, None], torch.tensor(uniforms))

    for image, drawn, ours in zip(images, uniforms, found[:, 0], strict=True):
        np.testing.assert_array_equal(ours, by_hand(image, drawn, windows, sides))


def test_the_histogram_stays():
    images = torch.rand(16, 3, 28, 28)
    op = LocalShuffle()
    shuffled = op.transform(images, torch.rand(16, op.draws(3, 28, 28)))

    assert torch.equal(shuffled.flatten(2).sort(dim=2).values, images.flatten(2).sort(dim=2).values)
    assert not torch.equal(shuffled, images)


def test_every_order_of_a_window_is_as_likely():
    op = LocalShuffle(1, (2, 2))
    images = torch.arange(4.0).view(1, 1, 2, 2).expand(6000, 1, 2, 2) / 4
    uniforms = torch.rand(6000, op.draws(1, 2, 2), generator=torch.Generator().manual_seed(0))
    counted = Counter(map(tuple, (op.transform(images, uniforms) * 4).flatten(1).int().tolist()))

    assert set(counted) == set(permutations(range(4)))
    assert chisquare(list(counted.values())).pvalue > 1e-3
