"""Elastic: SciPy's and torchvision's warps by the same field, and how far pixels move."""

import numpy as np
import pytest
import torch
from medssl_bench_methods.ops.bending import Elastic, smoothed, warped
from scipy.ndimage import gaussian_filter, map_coordinates
from torchvision.transforms.v2.functional import elastic as torchvision_elastic


@pytest.mark.parametrize("shape", [(28, 28), (17, 24), (5, 9)])
@pytest.mark.parametrize("reach", [0.7, 6.0])
def test_it_samples_as_scipys_map_coordinates(shape, reach):
    numbers = torch.Generator().manual_seed(0)
    images = torch.rand(3, 2, *shape, generator=numbers)
    down, right = reach * (2 * torch.rand(2, 3, *shape, generator=numbers) - 1)

    ours = warped(images, down, right)

    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for image, drawn, dy, dx in zip(images, ours, down.numpy(), right.numpy(), strict=True):
        for channel, found in zip(image, drawn, strict=True):
            theirs = map_coordinates(channel.numpy(), [rows + dy, columns + dx], order=1, mode="reflect")
            np.testing.assert_allclose(found, theirs, atol=1e-4)


def test_it_samples_as_torchvisions_elastic_does_inside_the_image():
    images = torch.rand(1, 3, 28, 28, generator=torch.Generator().manual_seed(0))
    field = 2 * torch.rand(1, 28, 28, 2, generator=torch.Generator().manual_seed(1)) - 1  # pixels

    ours = warped(images, field[..., 1], field[..., 0])

    theirs = torchvision_elastic(images, field * 2 / 28)  # the side is 2 long there
    torch.testing.assert_close(ours[..., 2:-2, 2:-2], theirs[..., 2:-2, 2:-2], atol=1e-5, rtol=0)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 3.5, 11.0])
def test_it_smooths_as_scipy(sigma):
    fields = torch.rand(2, 2, 20, 28, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    ours = smoothed(fields.float(), sigma, sigma / 2)

    theirs = gaussian_filter(fields.numpy(), (0, 0, sigma, sigma / 2), mode="reflect", truncate=4.0)
    np.testing.assert_allclose(ours, theirs, atol=2e-6)


def test_the_pixel_that_moves_most_moves_by_alpha():
    """Images whose values are places tell how far their pixels moved."""
    side = 32
    places = torch.linspace(0.5 / side, 1 - 0.5 / side, side)
    images = torch.stack([places[:, None].expand(side, side), places.expand(side, side)]).repeat(64, 1, 1, 1)
    op = Elastic((0.05, 0.05))

    bent = op.transform(images, torch.rand(64, op.draws(2, side, side), generator=torch.Generator().manual_seed(0)))

    moved = (bent - images)[:, :, 3:-3, 3:-3].abs().amax(dim=(1, 2, 3))  # the border reflects
    assert moved.max() == pytest.approx(0.05, abs=1e-5)  # of most images it is in the border
    assert moved.min() > 0.01


def test_a_reach_of_nothing_is_the_identity():
    images = torch.rand(4, 3, 28, 28)
    op = Elastic((0.0, 0.0))

    torch.testing.assert_close(op.transform(images, torch.rand(4, op.draws(3, 28, 28))), images, atol=1e-5, rtol=0)
