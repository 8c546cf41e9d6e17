import numpy as np
import torch
from PIL import Image

from medssl_bench.augmentations.ops import Resize


def test_it_is_pillows_bilinear_filter() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 48), dtype=np.uint8)
    theirs = np.asarray(Image.fromarray(picture).resize((28, 28), Image.Resampling.BILINEAR)).astype(float)
    ours = Resize(28).transform(torch.from_numpy(picture)[None, None] / 255, torch.empty(1, 0))
    assert np.abs(ours[0, 0].numpy() * 255 - theirs).max() < 1.1


def test_images_of_the_right_size_pass_unchanged() -> None:
    images = torch.rand(2, 3, 28, 28)
    assert Resize(28).transform(images, torch.empty(2, 0)) is images
