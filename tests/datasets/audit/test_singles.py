"""Images that show nothing."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from medssl_bench.datasets.audit.shelf import Shelf
from medssl_bench.datasets.audit.singles import single_images
from medssl_bench.datasets.parts import Part
from medssl_bench.datasets.phantoms.factories import phantom_cells, phantom_layers


@pytest.mark.parametrize("factory", [phantom_cells, phantom_layers])
@pytest.mark.parametrize("size", [28, 64])
def test_what_shows_nothing_is_found_among_phantoms(factory, size):
    images = factory(None, size=size, train=60, val=1, test=1).load()["train"].images.copy()
    images[3] = 77
    images[5, size // 25 :] = 3
    images[9, : size - size // 25] = 250
    for place, resampling in ((20, Image.Resampling.NEAREST), (21, Image.Resampling.BICUBIC)):
        small = Image.fromarray(images[place]).resize((size // 4, size // 4), Image.Resampling.BOX)
        images[place] = np.asarray(small.resize((size, size), resampling))
    shelf = Shelf([Part("train", images[:10]), Part("unlabelled", images[10:])])

    found = {kind: numbers.tolist() for kind, numbers in single_images(shelf).items()}

    assert found == {"constant": [3], "mostly black": [5], "mostly white": [9], "enlarged": [20, 21]}


def test_black_corners_are_usual():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 32, 32, 3), np.uint8)
    y, x = np.mgrid[:32, :32] - 15.5
    images[:, x**2 + y**2 > 120] = 0
    assert not any(map(len, single_images(Shelf([Part("train", images)])).values()))
