import numpy as np
import pytest
import torch

from medssl_bench.augmentations.ops import Rotate90
from medssl_bench.errors import UserError


def test_the_number_says_how_many_turns() -> None:
    images = torch.rand(5, 3, 6, 6)
    turned = Rotate90().transform(images, torch.tensor([[0.0], [0.25], [0.5], [0.75], [0.9999]]))
    for image, result, times in zip(images, turned, (0, 1, 2, 3, 3), strict=True):
        assert np.array_equal(result.numpy(), np.rot90(image.numpy(), times, axes=(1, 2)))


def test_images_must_be_square() -> None:
    with pytest.raises(UserError, match="needs square images, not 6x8"):
        Rotate90().transform(torch.rand(1, 3, 6, 8), torch.zeros(1, 1))
