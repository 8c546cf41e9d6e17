import numpy as np
import torch
from scipy.stats import kstest, norm

from medssl_bench.augmentations import Sequence
from medssl_bench.augmentations.ops import GaussianNoise


def test_the_noise_is_the_normal_quantile_of_the_numbers() -> None:
    op = GaussianNoise((0.02, 0.02))
    images = torch.full((3, 1, 8, 8), 0.5)
    uniforms = torch.rand(3, op.draws(1, 8, 8))
    noise = (op.transform(images, uniforms) - 0.5).flatten(1) / 0.02
    np.testing.assert_allclose(noise.numpy(), norm.ppf(uniforms[:, 1:].double().numpy() + 2.0**-25), atol=1e-3)


def test_the_noise_is_normal_with_a_uniform_deviation() -> None:
    op = GaussianNoise((0.01, 0.05))
    images = torch.full((400, 1, 20, 20), 0.5)
    noise = op.transform(images, torch.rand(400, op.draws(1, 20, 20))) - 0.5
    deviations = noise.std((1, 2, 3))
    assert kstest(deviations.numpy(), "uniform", args=(0.01, 0.04)).pvalue > 1e-3
    assert kstest((noise / deviations[:, None, None, None]).flatten().numpy(), "norm").pvalue > 1e-3


def test_extreme_numbers_stay_finite() -> None:
    op = GaussianNoise((0.1, 0.1))
    uniforms = torch.tensor([[0.5, 0.0], [0.5, 1 - 2.0**-24]])
    assert torch.equal(op.transform(torch.full((2, 1, 1, 1), 0.5), uniforms).flatten(), torch.tensor([0.0, 1.0]))


def test_noise_of_all_channels_keeps_grey_images_grey():
    grey = torch.rand(4, 1, 8, 8).expand(-1, 3, -1, -1)

    shared = Sequence([GaussianNoise((0.1, 0.1), per_channel=False)], 8).view(grey, 1)
    own = Sequence([GaussianNoise((0.1, 0.1))], 8).view(grey, 1)

    assert torch.equal(shared[:, 0], shared[:, 1])
    assert not torch.equal(shared, grey)
    assert not torch.equal(own[:, 0], own[:, 1])
