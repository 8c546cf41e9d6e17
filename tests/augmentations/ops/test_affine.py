import math

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2.functional import affine

from medssl_bench.augmentations.ops import Affine

UNIFORMS = [[0.5, 0.5, 0.5, 0.5], [0.1, 0.9, 0.2, 0.3], [0.95, 0.4, 0.6, 0.8], [0.3, 0.0, 0.99, 0.0]]
OP = Affine((-40.0, 60.0), 0.2, (0.7, 1.6))


def meaning(u: list[float]) -> tuple[float, float, float, float]:
    """Return the angle in degrees, the shifts right and down as fractions of the side, and the magnification."""
    return -40 + 100 * u[0], 0.4 * u[1] - 0.2, 0.4 * u[2] - 0.2, 0.7 + 0.9 * u[3]


@pytest.mark.parametrize("uniforms", UNIFORMS)
@pytest.mark.parametrize(("height", "width"), [(20, 20), (15, 24)])
def test_it_is_the_inverse_map_of_each_pixel_sampled_by_scipy(uniforms: list[float], height: int, width: int) -> None:
    image = torch.rand(1, 1, height, width)
    degrees, right, down, magnification = meaning(uniforms)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    # counter-clockwise as seen, rows counting downwards
    forward = magnification * np.array([[cos, -sin], [sin, cos]])  # (row, column)
    inverse = np.linalg.inv(forward)
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    offset = centre - inverse @ (centre + np.array([down * height, right * width]))
    expected = affine_transform(image[0, 0].double().numpy(), inverse, offset, order=1, mode="grid-constant")
    ours = OP.transform(image, torch.tensor([uniforms]))[0, 0].numpy()
    np.testing.assert_allclose(ours, expected, atol=1e-4)


@pytest.mark.parametrize("uniforms", UNIFORMS)
def test_it_is_torchvisions_whose_angles_run_clockwise(uniforms: list[float]) -> None:
    image = torch.rand(1, 3, 20, 20)
    degrees, right, down, magnification = meaning(uniforms)
    translate = [right * 20, down * 20]
    expected = affine(image, -degrees, translate, magnification, [0.0], InterpolationMode.BILINEAR)
    ours = OP.transform(image, torch.tensor([uniforms]))
    torch.testing.assert_close(ours, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("padding", ["border", "reflection"])
def test_other_paddings_leave_no_black_corners(padding: str) -> None:
    op = Affine((45.0, 45.0), 0.3, (0.5, 0.5), padding)  # type: ignore[arg-type]
    assert op.transform(torch.full((4, 3, 20, 20), 0.5), torch.rand(4, 4)).min() > 0.49
