"""Pairs that are found are those of comparing each with each."""

from __future__ import annotations

import numpy as np
import pytest
from datasets.audit.planting import ALTERATIONS, altered

from medssl_bench.datasets.audit import near
from medssl_bench.datasets.audit.descriptors import band, plain, plain_difference, turned_products
from medssl_bench.datasets.audit.invariants import Invariants
from medssl_bench.datasets.audit.near import FLOOR, near_pairs
from medssl_bench.datasets.audit.shelf import Shelf
from medssl_bench.datasets.parts import Part
from medssl_bench.datasets.phantoms.factories import phantom_cells, phantom_layers
from medssl_bench.datasets.turns import turned


def drawn(count=60, size=28, factory=phantom_cells):
    return factory(None, size=size, train=count, val=1, test=1).load()["train"].images


def with_copies(images):
    return np.concatenate([images, *(altered(images[:4], name) for name in ALTERATIONS)])


@pytest.mark.parametrize(("rows", "columns"), [(1024, 4096), (16, 32), (7, 24)])
def test_pairs_are_those_of_comparing_each_with_each(monkeypatch, rows, columns):
    monkeypatch.setattr(near, "_ROWS", rows)
    monkeypatch.setattr(near, "_COLUMNS", columns)
    images = with_copies(drawn())
    shelf = Shelf([Part("train", images[:50]), Part("test", images[50:])])

    pairs = near_pairs(shelf, np.arange(len(images)))

    coefficients, flat = band(images)[0], plain(images)
    wanted = set()
    for i in range(len(images)):
        for j in range(i + 1, len(images)):
            products = turned_products(coefficients[i : i + 1], coefficients[j : j + 1])[:, 0]
            row = products.argmax(keepdims=True)
            most = np.interp(products.max(), [0.955, 0.965], [6.5, 11])
            if products.max() >= FLOOR and plain_difference(flat[i : i + 1], flat[j : j + 1], row)[0] <= most:
                wanted.add((i, j))
    assert set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)) == wanted
    assert len(wanted) > 4 * len(ALTERATIONS)


def test_the_turn_lays_the_second_image_as_the_first_lies():
    images = drawn(8)
    turns = np.arange(8)
    shelf = Shelf([Part("train", images), Part("test", np.stack([turned(images[t], t) for t in turns]))])

    pairs = near_pairs(shelf, np.arange(16))

    assert len(pairs) == 8
    for first, second, turn in zip(pairs.first, pairs.second, pairs.turn, strict=True):
        np.testing.assert_array_equal(turned(shelf.image(second), int(turn)), shelf.image(first))


@pytest.mark.parametrize("factory", [phantom_cells, phantom_layers])
def test_one_product_bounds_the_eight(factory):
    images = with_copies(drawn(80, factory=factory))
    coefficients = band(images)[0]
    vectors = Invariants(coefficients).of(coefficients)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    one, other = np.triu_indices(len(images), 1)
    eight = turned_products(coefficients[one], coefficients[other]).max(axis=0)
    assert ((vectors[one] * vectors[other]).sum(axis=1) >= eight - 1e-5).all()


def test_many_that_look_alike_are_thinned_out_and_none_is_forgotten(monkeypatch):
    monkeypatch.setattr(near, "_EACH", 5)
    monkeypatch.setattr(near, "_MOST", 40)
    monkeypatch.setattr(near, "_ROWS", 16)
    image = drawn(1)[0]
    rng = np.random.default_rng(0)
    images = np.clip(image + rng.normal(0, 2, (60, *image.shape)), 0, 255).astype(np.uint8)

    pairs = near_pairs(Shelf([Part("train", images)]), np.arange(60))

    assert np.bincount(pairs.first).max() <= 5
    assert set(pairs.first.tolist()) | set(pairs.second.tolist()) == set(range(60))


def test_images_without_structure_are_left_out():
    flat = np.stack([np.full((28, 28), value, np.uint8) for value in (10, 10, 200)])
    assert len(near_pairs(Shelf([Part("train", flat)]), np.arange(3))) == 0
