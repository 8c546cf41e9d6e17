import math

import torch
from scipy.stats import ks_2samp
from torchvision.transforms import RandomErasing

from medssl_bench.augmentations import Sequence
from medssl_bench.augmentations.ops import Erase


def test_rectangles_are_distributed_as_torchvisions() -> None:
    count, image = 3000, torch.zeros(1, 40, 40)
    torch.manual_seed(0)
    expected = [RandomErasing.get_params(image, (0.02, 0.33), (0.3, 1.0), [1.0])[:4] for _ in range(count)]
    op = Erase(ratio=(0.3, 1.0), value=1.0)
    erased = op.transform(image.expand(count, 1, 40, 40), torch.rand(count, op.draws(1, 40, 40)))[:, 0]
    rows, columns = erased.amax(2), erased.amax(1)
    ours = (rows.argmax(1), columns.argmax(1), rows.sum(1), columns.sum(1))
    for place, values in enumerate(ours):
        assert ks_2samp([box[place] for box in expected], values.numpy(), method="asymp").pvalue > 1e-3
    assert torch.equal(erased.sum((1, 2)), rows.sum(1) * columns.sum(1))


def test_only_the_rectangle_changes() -> None:
    images = torch.rand(16, 3, 20, 20) * 0.5
    op = Erase(value=0.75)
    erased = op.transform(images, torch.rand(16, op.draws(3, 20, 20)))
    filled = erased == 0.75
    assert filled.any()
    assert torch.equal(erased[~filled], images[~filled])
    assert torch.equal(filled.all(1), filled.any(1))


def test_an_image_in_which_no_rectangle_fits_passes_unchanged() -> None:
    op = Erase(scale=(0.9, 0.9), ratio=(3.0, 3.0))
    images = torch.rand(4, 3, 20, 20)
    assert math.sqrt(0.9 * 3) > 1  # higher than the image
    assert torch.equal(op.transform(images, torch.rand(4, op.draws(3, 20, 20))), images)


def test_a_rectangle_is_smaller_than_the_image_as_in_torchvision():
    images = torch.ones(8, 3, 12, 12)

    erased = Sequence([Erase(p=1.0, scale=(1.0, 1.0), ratio=(1.0, 1.0))], 12).view(images, 0)

    assert torch.equal(erased, images)
    assert torch.equal(RandomErasing(1.0, scale=(1.0, 1.0), ratio=(1.0, 1.0))(images[0]), images[0])
