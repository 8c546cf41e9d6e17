"""What revision 1 draws. When a change of the drawing breaks this, raise the revision and put the new numbers here."""

from __future__ import annotations

import numpy as np
import pytest

from medssl_bench.datasets.phantoms.factories import phantom_cells, phantom_layers

CELLS = [[140.3, 101.2, 166.3, 148.5], [133.9, 149.0, 143.3, 162.5], [162.6, 155.6, 151.6, 157.3]]
LAYERS = {
    "multi-class": [[42.0, 49.8, 74.7, 73.6], [18.7, 28.6, 51.3, 53.6], [100.2, 84.0, 120.2, 125.9]],
    "binary": [[39.2, 42.8, 75.3, 72.8], [19.1, 24.8, 51.3, 51.0], [92.0, 78.3, 122.6, 124.8]],
    "ordinal": [[76.9, 85.8, 112.3, 99.4], [58.2, 45.3, 112.9, 86.5], [76.8, 65.0, 84.6, 85.4]],
    "multi-label": [[82.5, 63.2, 90.0, 90.7], [66.9, 68.1, 92.4, 97.2], [43.8, 56.4, 67.2, 66.4]],
}
LABELS = {
    "cells": [6, 7, 6],
    "multi-class": [0, 3, 2],
    "binary": [1, 1, 1],
    "ordinal": [0, 3, 0],
    "multi-label": [1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1],
}


def check(phantom, labels, quarters):
    train = phantom.load()["train"]

    assert phantom.revision == 1
    assert train.labels.ravel().tolist() == labels
    means = train.images.reshape(3, 2, 14, 2, 14, -1).mean(axis=(2, 4, 5)).reshape(3, 4)
    np.testing.assert_allclose(means, quarters, atol=0.3)  # processors differ in the last digit of a sine


def test_cells():
    check(phantom_cells(None, train=3, val=1, test=1), LABELS["cells"], CELLS)


@pytest.mark.parametrize("task", LAYERS)
def test_layers(task):
    check(phantom_layers(None, task=task, train=3, val=1, test=1), LABELS[task], LAYERS[task])
