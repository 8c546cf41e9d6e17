"""Dense SIFT: OpenCV's descriptors at the same places, and what must not change them."""

import cv2
import numpy as np
import pytest
import torch
from medssl_bench_methods.handmade.dense_sift import DenseSift
from medssl_bench_methods.handmade.sift import cell_weights, color_histogram, descriptors
from skimage.data import cell as microscopy
from skimage.transform import resize

PLACES = [(9.0, 9.0), (14.0, 13.0), (13.5, 17.25), (5.0, 20.0)]
"""Row and column, with one near the edge."""


def pictures(size=28):
    """Return grey images of 8 bits: noise, smooth blobs, and a cell under a microscope."""
    noise = np.random.default_rng(0).random((size, size))
    blobs = resize(np.random.default_rng(1).random((6, 6)), (size, size), order=3)
    cells = resize(microscopy()[150:500, 100:450] / 255.0, (size, size), anti_aliasing=True)
    return [(image * 255).round().clip(0, 255).astype(np.uint8) for image in (noise, blobs, cells)]


def opencvs(image, cell):
    """Return OpenCV's descriptors, which are numbers of 8 bits: 512 times those of length 1.

    Its cells are 1.5 times the size of a key point wide; it is told that the image is blurred as it wants already.
    """
    points = [cv2.KeyPoint(x=x, y=y, size=cell / 1.5, angle=0, octave=0) for y, x in PLACES]
    kept, found = cv2.SIFT_create(sigma=0.5).compute(image, points)
    assert [point.pt for point in kept] == [(x, y) for y, x in PLACES]
    return found


@pytest.mark.parametrize("cell", [2.0, 3.0])
@pytest.mark.parametrize("picture", range(3))
def test_descriptors_are_opencvs(picture, cell):
    image = pictures()[picture]
    blurred = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 0.1)  # the least that OpenCV blurs
    weights = cell_weights(torch.tensor(np.round(PLACES)), cell, 28).flatten(0, 1).float()

    ours = descriptors(torch.tensor(blurred)[None] / 255, weights)[0].numpy()

    theirs = opencvs(image, cell)
    likeness = (ours * theirs).sum(axis=1) / np.linalg.norm(theirs, axis=1)
    assert likeness.min() > 0.99
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, rtol=1e-5)


def test_a_gain_and_an_offset_change_nothing():
    encoder = DenseSift(28, grid=5, radius=4, pool=2, color=False)
    images = torch.rand(4, 1, 28, 28).expand(-1, 3, -1, -1)
    torch.testing.assert_close(encoder(0.5 * images + 0.3), encoder(images), atol=2e-3, rtol=0)


def test_a_quarter_turn_permutes_cells_and_orientations():
    images = torch.rand(4, 28, 28)
    weights = DenseSift(28, grid=5, radius=4, pool=2, color=False).sift.weights

    turned = descriptors(images.rot90(1, (1, 2)), weights).view(4, 5, 5, 4, 4, 8)

    plain = descriptors(images, weights).view(4, 5, 5, 4, 4, 8)
    expected = plain.rot90(1, (1, 2)).rot90(1, (3, 4)).roll(2, dims=5)
    torch.testing.assert_close(turned, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("grid", "pool", "color", "dim"), [(5, 2, False, 512), (3, 1, True, 176), (2, 2, True, 560)])
def test_features_are_as_long_as_it_says(grid, pool, color, dim):
    encoder = DenseSift(28, grid=grid, radius=4, pool=pool, color=color)
    assert encoder.dim == dim
    assert encoder(torch.rand(3, 3, 28, 28)).shape == (3, dim)
    assert not list(encoder.parameters())


def test_an_even_image_has_no_descriptor():
    encoder = DenseSift(28, grid=5, radius=4, pool=2, color=False)
    assert torch.equal(encoder(torch.full((2, 3, 28, 28), 0.4)), torch.zeros(2, 512))


def test_colours_are_numpys_histogram():
    images = torch.rand(3, 3, 9, 9)
    for image, found in zip(images.numpy(), color_histogram(images).view(3, 3, 16), strict=True):
        for channel, ours in zip(image, found, strict=True):
            counts, _ = np.histogram(channel, bins=16, range=(0, 1))
            np.testing.assert_allclose(ours, np.sqrt(counts / 81), atol=1e-6)
