"""Labels can be learnt from the pictures, and are not given away by their colours."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medssl_bench.datasets.phantoms.factories import phantom_layers


def score(features, splits, labels=600):
    train, test = (features(splits[name].images.astype(np.float32) / 255) for name in ("train", "test"))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    model.fit(train[:labels], splits["train"].labels[:labels, 0])
    return model.score(test, splits["test"].labels[:, 0])


def pixels(images):
    """Return the pixels of the images at half the size, which is as good and quicker."""
    return images.reshape(len(images), 14, 2, 14, 2, -1).mean(axis=(2, 4)).reshape(len(images), -1)


def colours(images):
    flat = images.reshape(len(images), 28 * 28, -1)
    return np.concatenate([flat.mean(axis=1), flat.std(axis=1)], axis=1)


def majority(splits):
    return np.bincount(splits["test"].labels[:, 0]).max() / len(splits["test"].labels)


@pytest.fixture(scope="module")
def layers():
    return phantom_layers(None, train=600, val=1, test=400).load()


@pytest.mark.parametrize("name", ["cells", "layers"])
def test_pixels_tell_something_but_far_from_all(request, name):
    splits = request.getfixturevalue(name)

    assert majority(splits) + 0.05 < score(pixels, splits) < 0.75


@pytest.mark.parametrize(("name", "most"), [("cells", 0.5), ("layers", 0.5)])
def test_colours_do_not_give_the_class_away(request, name, most):
    assert score(colours, request.getfixturevalue(name)) < most


def test_shuffled_labels_teach_nothing(cells):
    train = cells["train"]
    shuffled = np.random.default_rng(0).permutation(train.labels)
    splits = {"train": type(train)(train.images, shuffled), "test": cells["test"]}

    assert score(pixels, splits) < majority(cells) + 0.04
