"""Swapping patches: a plain loop, the histogram, and where patches are."""

import numpy as np
import pytest
import torch
from medssl_bench_methods.ops.swapping import SwapPatches, rearranged, swap_map
from scipy.stats import chisquare


def by_hand(image, uniforms, patch):
    """Swap as algorithm 1 of Chen et al. (2019) says, with its patches picked by uniform numbers."""
    image = image.copy()
    height, width = image.shape
    places = [(top, left) for top in range(height - patch + 1) for left in range(width - patch + 1)]
    for one, other in uniforms.reshape(-1, 2):
        top, left = places[int(one * len(places))]
        beside = [(y, x) for y, x in places if abs(y - top) >= patch or abs(x - left) >= patch]
        if not beside:
            continue
        y, x = beside[int(other * len(beside))]
        first, second = np.s_[top : top + patch, left : left + patch], np.s_[y : y + patch, x : x + patch]
        image[first], image[second] = image[second].copy(), image[first].copy()
    return image


@pytest.mark.parametrize(
    ("shape", "patch", "swaps"), [((28, 28), 5, 6), ((9, 14), 3, 10), ((8, 8), 5, 4), ((6, 6), 6, 2)]
)
def test_it_swaps_as_a_plain_loop(shape, patch, swaps):
    numbers = np.random.default_rng(0)
    images, uniforms = numbers.random((8, *shape), np.float32), numbers.random((8, 2 * swaps), np.float32)

    found = SwapPatches(patch, swaps).transform(torch.tensor(images)[:, None], torch.tensor(uniforms))

    for image, drawn, ours in zip(images, uniforms, found[:, 0], strict=True):
        np.testing.assert_array_equal(ours, by_hand(image, drawn, patch))


def test_the_histogram_stays_and_pixels_move_in_all_channels_alike():
    images = torch.rand(16, 3, 28, 28)
    swapped = SwapPatches().transform(images, torch.rand(16, 12))

    assert torch.equal(swapped.flatten(2).sort(dim=2).values, images.flatten(2).sort(dim=2).values)
    assert not torch.equal(swapped, images)
    grey = images[:, :1].expand(-1, 3, -1, -1)
    again = SwapPatches().transform(grey, torch.rand(16, 12))
    assert torch.equal(again[:, 0], again[:, 2])


def test_one_swap_moves_two_patches_and_a_second_undoes_it():
    uniforms = torch.rand(64, 2)
    once = swap_map(uniforms, 5, 28, 28)
    assert ((once != torch.arange(784)).sum(dim=1) == 2 * 25).all()
    twice = swap_map(uniforms.repeat(1, 2), 5, 28, 28)
    assert torch.equal(twice, torch.arange(784).expand(64, -1))


def test_the_second_patch_is_anywhere_beside_the_first():
    """The first patch is the middle one of a 6 x 6 image: 25 places less those that overlap are as likely as others."""
    uniforms = torch.rand(20_000, 2, generator=torch.Generator().manual_seed(0))
    uniforms[:, 0] = 0.5  # the patch of 2 pixels at (2, 2)
    moved = (swap_map(uniforms, 2, 6, 6) != torch.arange(36)).view(-1, 6, 6)
    moved[:, 2:4, 2:4] = False
    first = moved.flatten(1).long().argmax(dim=1)  # the corner of the other patch
    assert set(first.tolist()) == {y * 6 + x for y in range(5) for x in range(5) if abs(y - 2) >= 2 or abs(x - 2) >= 2}
    assert chisquare(first.bincount()[first.unique()].numpy()).pvalue > 1e-3


def test_pixels_come_from_where_the_map_says():
    images = torch.rand(2, 3, 4, 5)
    sources = torch.stack([torch.randperm(20), torch.randperm(20)])
    found = rearranged(images, sources).flatten(2)
    for place in range(20):
        assert torch.equal(found[1, :, place], images.flatten(2)[1, :, sources[1, place]])
