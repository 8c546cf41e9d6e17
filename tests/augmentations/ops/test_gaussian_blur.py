import numpy as np
import pytest
import torch
from torchvision.transforms.v2.functional import gaussian_blur

from medssl_bench.augmentations.ops import GaussianBlur
from medssl_bench.errors import UserError


@pytest.mark.parametrize("kernel_size", [1, 3, 9, 13])
@pytest.mark.parametrize(("height", "width"), [(28, 28), (9, 40)])
def test_it_is_torchvisions_with_a_reflected_border(height: int, width: int, kernel_size: int) -> None:
    op = GaussianBlur(kernel_size, (0.1, 2.0))
    images, uniforms = torch.rand(16, 3, height, width), torch.rand(16, 1)
    sigmas = (0.1 + 1.9 * uniforms[:, 0]).tolist()
    expected = [gaussian_blur(x, [kernel_size] * 2, [sigma]) for x, sigma in zip(images, sigmas, strict=True)]
    torch.testing.assert_close(op.transform(images, uniforms), torch.stack(expected), atol=1e-5, rtol=0)


@pytest.mark.parametrize("side", [1, 2, 3, 4])
def test_a_border_narrower_than_the_kernel_is_reflected_again(side: int) -> None:
    op = GaussianBlur(9, (1.5, 1.5))
    image = torch.rand(1, 1, 1, side)
    taps = np.exp(-0.5 * (np.arange(-4, 5) / 1.5) ** 2)
    padded = np.pad(image[0, 0, 0].numpy(), 4, mode="reflect")
    expected = np.convolve(padded, taps / taps.sum(), mode="valid")
    ours = op.transform(image, torch.zeros(1, 1))[0, 0, 0].numpy()
    np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_an_even_kernel_is_refused() -> None:
    with pytest.raises(UserError, match="odd number of pixels, not 8"):
        GaussianBlur(8)
