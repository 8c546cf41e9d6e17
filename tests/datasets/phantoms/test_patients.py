"""Patients of phantom cells: images that share stain, light and focus."""

from __future__ import annotations

import numpy as np
import pytest
from datasets.shared import find_copies

from medssl_bench.datasets.base import SPLITS
from medssl_bench.datasets.phantoms.factories import phantom_cells
from medssl_bench.errors import DataError
from medssl_bench.plan.known_dataset import KnownDataset
from medssl_bench.plugin.manager import load_plugins

COUNTS = {"train": 95, "val": 40, "test": 60}


def cells(**parameters):
    return phantom_cells(None, size=16, **{**COUNTS, "per_patient": 10, **parameters})


def colour_spread(split, groups):
    """Return the deviation of the background's colour within groups, and between their means."""
    background = np.percentile(split.images.reshape(len(split), -1, 3), 90, axis=1)
    within = [background[groups == group].std(axis=0).mean() for group in np.unique(groups)]
    between = np.array([background[groups == group].mean(axis=0) for group in np.unique(groups)])
    return np.mean(within), between.std(axis=0).mean()


def test_one_image_a_patient_is_the_set_without_patients():
    before, after = phantom_cells(None, size=16, **COUNTS), cells(per_patient=1)

    assert before.fingerprint() == after.fingerprint()
    assert "patient" not in before.fingerprint()
    assert before.info() == after.info()
    for one, other in zip(before.load().values(), after.load().values(), strict=True):
        assert one.groups is None
        np.testing.assert_array_equal(one.images, other.images)


def test_no_patient_is_in_two_splits_and_each_has_as_many_images_as_asked():
    dataset = cells()
    splits = dataset.load()

    assert dataset.info().group_counts == {"train": 10, "val": 4, "test": 6}
    assert dataset.info().warnings == ()
    groups = np.concatenate([splits[name].groups for name in SPLITS])
    assert np.bincount(groups).tolist() == [10] * 9 + [5] + [10] * 10


def test_images_of_a_patient_have_one_stain_and_show_what_they_did():
    alone, together = phantom_cells(None, size=16, **COUNTS).load(), cells().load()

    for name in SPLITS:
        np.testing.assert_array_equal(alone[name].labels, together[name].labels)
    within, between = colour_spread(together["train"], together["train"].groups)
    assert between > 3 * within
    within, between = colour_spread(alone["train"], together["train"].groups)
    assert between < within


def test_what_a_patient_is_like_depends_on_no_number_of_images():
    few, many = cells(train=25).load()["train"], cells().load()["train"]

    np.testing.assert_array_equal(few.images, many.images[:25])
    assert cells(seed=1).load()["train"].images[0].tolist() != few.images[0].tolist()


def test_shared_patients_change_the_stain_of_validation_and_test_images_alone():
    apart, shared = cells(), cells(shared_groups=True)
    one, other = apart.load(), shared.load()

    np.testing.assert_array_equal(one["train"].images, other["train"].images)
    for name in ("val", "test"):
        np.testing.assert_array_equal(one[name].labels, other[name].labels)
        assert (one[name].images != other[name].images).any(axis=(1, 2, 3)).all()
        assert set(other[name].groups.tolist()) == set(range(10))
    assert shared.info().group_counts == {"train": 10, "val": 10, "test": 10}
    assert shared.info().warnings[0] == "10 groups have training and validation images"
    assert set(shared.info().warnings) <= set(find_copies(other).warnings)


def test_patients_are_in_the_key_where_there_are_any():
    registry, keys = load_plugins().registry, []
    for more in ({}, {"per_patient": 1}, {"per_patient": 5}, {"per_patient": 5, "shared_groups": True}):
        component = registry.resolve_or_raise("dataset", {"name": "phantom_cells", **more})
        dataset = registry.build(component, context=None)
        keys.append(KnownDataset(component, dataset.info(), dataset.fingerprint()).identity())

    assert keys[0] == keys[1]
    assert len({str(key) for key in keys}) == 3


def test_shared_patients_need_patients():
    with pytest.raises(DataError, match="shared_groups is for a set with patients; give per_patient, from 2"):
        cells(per_patient=1, shared_groups=True)


@pytest.mark.parametrize("shared", [False, True])
def test_images_without_labels_are_of_patients_too(shared):
    dataset = cells(unlabelled=25, per_patient=10, shared_groups=shared)

    found, splits = dataset.load_unlabelled(), dataset.load()

    assert len(set(found.groups.tolist())) == (10 if shared else 3)  # all those of the training images, or new ones
    others = {number for split in splits.values() for number in split.groups.tolist()}
    assert bool(others & set(found.groups.tolist())) == shared


def test_a_patient_may_have_cells_of_one_kind():
    mixed, one = cells(unlabelled=25), cells(unlabelled=25, one_kind=True)

    for split, part in one.load().items():
        for patient in np.unique(part.groups):
            own = part.groups == patient
            assert len(np.unique(part.labels[own])) == 1
            assert part.labels[own][0] == mixed.load()[split].labels[own][0]
    assert one.info().class_counts == tuple(np.bincount(one.load()["train"].labels[:, 0], minlength=8))
    assert one.fingerprint() != mixed.fingerprint()
    assert not np.array_equal(one.load_unlabelled().images, mixed.load_unlabelled().images)


def test_fewer_images_of_patients_with_one_kind_are_the_first_ones():
    few, many = cells(one_kind=True, train=15).load()["train"], cells(one_kind=True, train=40).load()["train"]

    assert np.array_equal(few.images, many.images[:15])


@pytest.mark.parametrize("more", [{"per_patient": 1}, {"per_patient": 5, "shared_groups": True}])
def test_one_kind_is_for_patients_of_one_split(more):
    with pytest.raises(DataError, match="one_kind is for patients of one split each"):
        cells(one_kind=True, **more)
