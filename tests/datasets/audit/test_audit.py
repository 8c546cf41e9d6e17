"""What is planted is found, and phantoms give no alarm."""

from __future__ import annotations

import numpy as np
import pytest
from datasets.audit.planting import ALTERATIONS, altered

from medssl_bench.datasets.audit.audit import audit
from medssl_bench.datasets.parts import Part, parts_of
from medssl_bench.datasets.phantoms.factories import phantom_cells, phantom_layers


def phantoms(factory=phantom_cells, size=28, train=400, test=50, **options):
    dataset = factory(None, size=size, train=train, val=50, test=test, **options)
    return dataset.info(), parts_of(dataset)


@pytest.mark.parametrize("factory", [phantom_cells, phantom_layers])
@pytest.mark.parametrize("size", [28, 64])
def test_planted_copies_are_found_and_nothing_else(factory, size):
    info, (train, val, _) = phantoms(factory, size, train=200)
    chosen = np.arange(0, 200, 2)
    planted = np.concatenate([altered(train.images[chosen], name) for name in ALTERATIONS])

    found = audit(info, [train, val, Part("test", planted, np.tile(train.labels[chosen], (len(ALTERATIONS), 1)))])

    source = np.concatenate([np.arange(250), np.tile(chosen, len(ALTERATIONS))])  # what each image was made from
    for pairs in (found.copies, found.near):
        assert (source[pairs.first] == source[pairs.second]).all(), "no pair of different images"
    from_train = [pairs.second[pairs.first < 200] for pairs in (found.copies, found.near)]
    caught = np.zeros(len(source), np.bool_)
    caught[np.concatenate(from_train)] = True
    for name, of_kind in zip(ALTERATIONS, caught[250:].reshape(len(ALTERATIONS), -1), strict=True):
        assert of_kind.mean() >= 0.98, name


@pytest.mark.parametrize("factory", [phantom_cells, phantom_layers])
def test_phantoms_give_no_alarm(factory):
    found = audit(*phantoms(factory, train=1500, test=300))
    assert (found.leaks, len(found.copies), len(found.near)) == ((), 0, 0)


def test_every_kind_of_fault_is_told():
    info, (train, val, test) = phantoms()
    images, labels = test.images.copy(), test.labels.copy()
    images[0], labels[0] = train.images[7][::-1], (train.labels[7] + 1) % len(info.classes)
    images[1] = altered(val.images[:1], "JPEG 50")[0]
    images[2] = 0
    labels[1] = (val.labels[0] + 1) % len(info.classes)
    absent = int(next(label for label in range(8) if label not in labels[:2]))
    labels[labels == absent] = labels[0]
    groups = [np.arange(400), np.arange(400, 450), np.arange(449, 499)]
    parts = [
        Part("train", train.images, train.labels, groups[0]),
        Part("val", val.images, val.labels, groups[1]),
        Part("test", images, labels, groups[2]),
        Part("unlabelled", np.concatenate([images[5:6], train.images[9:10]])),
    ]

    found = audit(info, parts)

    assert found.leaks == (
        "1 of 50 test images is a copy of training images, 1 under another label",
        "1 group has validation and test images",
        "1 of 2 unlabelled images is a copy of test images",
        "1 of 50 test images is a near copy of validation images",
    )
    assert found.notes == (
        "1 of 2 unlabelled images is a copy of training images",
        "2 pairs of copies or near copies have two labels: one of them is wrong",
        f"the test split has no image of {info.classes[absent]!r}",
        "1 of 50 test images is of one value",
    )


def test_the_labels_of_a_multi_label_set_are_counted_one_by_one():
    info, (train, val, test) = phantoms(phantom_layers, task="multi-label")
    labels = test.labels.copy()
    labels[:, 2] = 0
    found = audit(info, [train, val, Part("test", test.images, labels)])
    assert f"the test split has no image of {info.classes[2]!r}" in found.notes
