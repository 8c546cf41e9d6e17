"""The threshold follows how alike images of two classes are."""

from __future__ import annotations

import numpy as np
import pytest

from medssl_bench.datasets.audit.near import Pairs
from medssl_bench.datasets.audit.threshold import own_threshold


def pairs(likeness):
    """Return pairs of images 2i and 2i + 1."""
    first = 2 * np.arange(len(likeness))
    return Pairs(first, first + 1, np.array(likeness, np.float32), np.zeros(len(likeness), np.int64))


def labels(count, differ=True):
    return np.arange(count) % 2 if differ else np.zeros(count, np.int64)


def test_it_is_above_what_one_image_in_a_thousand_has_with_another_class():
    found = pairs(np.linspace(0.95, 0.979, 30))  # 60 of 20,000 images: the 21st most alike decides
    assert own_threshold(found, labels(20_000)) == pytest.approx(0.979 - 10 * 0.001 + 0.005, abs=1e-5)


def test_images_of_the_same_class_say_nothing():
    assert own_threshold(pairs([0.98] * 30), labels(1000, differ=False)) == 0.94
    assert own_threshold(pairs([0.98] * 30), np.full(1000, -1)) == 0.94


def test_a_few_copies_under_two_labels_do_not_hide_themselves():
    assert own_threshold(pairs([0.98] * 5), labels(1000)) == 0.94
    assert own_threshold(pairs([0.98] * 6), labels(1000)) == pytest.approx(0.985)


def test_it_has_an_end():
    assert own_threshold(pairs([0.999] * 30), labels(1000)) == 0.99
    assert own_threshold(pairs([]), labels(0)) == 0.94
