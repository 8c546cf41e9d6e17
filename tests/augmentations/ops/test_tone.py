import numpy as np
import torch
from PIL import Image, ImageOps
from torchvision.transforms.v2.functional import adjust_gamma

from medssl_bench.augmentations.ops import Gamma, Solarize


def test_solarize_is_pillows() -> None:
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16)
    theirs = np.asarray(ImageOps.solarize(Image.fromarray(picture), 128))
    ours = Solarize(128 / 255).transform(torch.from_numpy(picture)[None, None] / 255, torch.empty(1, 0))
    assert np.array_equal((ours[0, 0] * 255).round().numpy(), theirs)


def test_gamma_is_torchvisions() -> None:
    images, uniforms = torch.rand(8, 3, 5, 5), torch.rand(8, 1)
    exponents = (0.7 + 0.8 * uniforms[:, 0]).tolist()
    expected = torch.stack([adjust_gamma(x, gamma) for x, gamma in zip(images, exponents, strict=True)])
    torch.testing.assert_close(Gamma((0.7, 1.5)).transform(images, uniforms), expected, atol=1e-5, rtol=0)
