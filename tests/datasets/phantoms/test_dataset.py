from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medssl_bench.datasets import Task
from medssl_bench.datasets.phantoms import dataset
from medssl_bench.datasets.phantoms.factories import phantom_cells, phantom_layers
from medssl_bench.errors import DataError


def test_shapes_types_and_info_agree(make):
    phantom = make(size=20)
    info, splits = phantom.info(), phantom.load()

    assert info.generated
    assert info.counts == {"train": 40, "val": 5, "test": 33}
    for name, split in splits.items():
        shape = (info.counts[name], 20, 20) + ((3,) if info.channels == 3 else ())
        assert (split.images.shape, split.images.dtype) == (shape, np.uint8)
        columns = len(info.classes) if info.task is Task.MULTI_LABEL else 1
        assert (split.labels.shape, split.labels.dtype) == ((info.counts[name], columns), np.int64)
        assert split.labels.min() >= 0
        assert split.labels.max() < (2 if info.task is Task.MULTI_LABEL else len(info.classes))


def test_class_counts_are_those_of_the_labels(make):
    phantom = make(train=300, val=40, size=8)
    splits = phantom.load()
    labels = splits["train"].labels

    if phantom.info().task is Task.MULTI_LABEL:
        assert phantom.info().class_counts is None
        assert 0.15 < labels.mean() < 0.55
    else:
        classes = len(phantom.info().classes)
        assert phantom.info().class_counts == tuple(np.bincount(labels[:, 0], minlength=classes))
        assert min(phantom.info().class_counts) > 0
        found = tuple(np.bincount(splits["val"].labels[:, 0], minlength=classes))
        assert phantom.info().val_class_counts == found


def test_the_same_parameters_give_the_same_bytes(make):
    for one, two in zip(make().load().values(), make().load().values(), strict=True):
        np.testing.assert_array_equal(one.images, two.images)
        np.testing.assert_array_equal(one.labels, two.labels)


def test_fewer_images_are_the_first_of_more(make):
    few, many = make(train=21).load(), make(train=70, test=1).load()

    np.testing.assert_array_equal(few["train"].images, many["train"].images[:21])
    np.testing.assert_array_equal(few["train"].labels, many["train"].labels[:21])
    np.testing.assert_array_equal(few["test"].images[:1], many["test"].images)


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 80), st.integers(1, 80))
def test_any_number_is_a_prefix(first, second):
    one, two = (phantom_cells(None, size=8, train=n, val=1, test=1).load()["train"] for n in (first, second))
    both = min(first, second)

    np.testing.assert_array_equal(one.images[:both], two.images[:both])
    np.testing.assert_array_equal(one.labels[:both], two.labels[:both])


def test_another_seed_gives_another_set(make):
    one, two = make().load()["train"], make(seed=1).load()["train"]

    assert (one.images != two.images).reshape(40, -1).any(axis=1).all()
    assert (one.labels != two.labels).any()


def test_no_image_comes_twice(cells):
    images = np.concatenate([split.images for split in cells.values()])

    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)


@pytest.mark.parametrize("factory", [phantom_cells, phantom_layers])
@pytest.mark.parametrize(("nuisance", "least", "typical"), [(0.0, 0.97, 0.99), (1.0, 0.8, 0.93)])
def test_every_size_shows_the_same_scene(factory, nuisance, least, typical):
    small, large = (
        factory(None, size=size, train=64, val=1, test=1, nuisance=nuisance).load()["train"] for size in (28, 112)
    )
    scaled = large.images.reshape(64, 28, 4, 28, 4, -1).mean(axis=(2, 4)).reshape(64, -1)
    correlation = [np.corrcoef(a, b)[0, 1] for a, b in zip(small.images.reshape(64, -1), scaled, strict=True)]

    np.testing.assert_array_equal(small.labels, large.labels)
    assert min(correlation) > least
    assert np.mean(correlation) > typical


def test_no_nuisance_is_no_noise():
    images = phantom_layers(None, train=8, val=1, test=1, nuisance=0.0).load()["train"].images

    assert np.ptp(images[:, 0, :5].astype(int), axis=1).max() <= 1


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"size": 7}, "size must be from 8 to 512 pixels, not 7"),
        ({"size": 513}, "size must be from 8 to 512 pixels, not 513"),
        ({"val": 0}, "val must be at least 1 image, not 0"),
        ({"nuisance": 2.5}, "nuisance must be from 0 to 2, not 2.5"),
        ({"nuisance": float("nan")}, "nuisance must be from 0 to 2, not nan"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(DataError, match=message) as caught:
        phantom_cells(None, **parameters)

    assert "\n" not in str(caught.value)


def test_too_many_for_the_memory():
    with pytest.raises(DataError, match="GiB of memory"):
        phantom_cells(None, size=512, train=10**9).load()


def test_the_fingerprint_tells_every_parameter_apart(make):
    changed = [{}, {"size": 27}, {"train": 41}, {"val": 6}, {"test": 34}, {"seed": 1}, {"nuisance": 0.5}]
    fingerprints = {make(**parameters).fingerprint() for parameters in changed}

    assert len(fingerprints) == len(changed)
    assert make(nuisance=1).fingerprint() == make(nuisance=1.0).fingerprint()


def test_the_fingerprint_tells_tasks_and_revisions_apart(monkeypatch):
    fingerprints = {
        phantom_layers(None, task=task).fingerprint() for task in ("multi-class", "binary", "ordinal", "multi-label")
    }
    assert len(fingerprints) == 4

    before = phantom_cells(None)
    monkeypatch.setattr(type(before), "revision", 99)
    assert phantom_cells(None).fingerprint() not in fingerprints | {"phantom_cells revision=1"}
    assert "revision=99" in before.fingerprint()


def test_progress_is_told_of_large_sets(monkeypatch, capsys):
    monkeypatch.setattr(dataset, "_SHOW_PROGRESS_FROM", 1)
    phantom_cells(None, train=40, val=1, test=1).load()

    assert "drawing 42 images of phantom_cells" in capsys.readouterr().err


def test_drawing_is_quick():
    """550 of the default images take about 0.1 s of one processor; the limit allows for a slow one."""
    phantom = phantom_cells(None, train=400, val=50, test=100)
    start = time.process_time()
    phantom.load()

    assert time.process_time() - start < 1.5


def test_images_without_labels_change_no_other(make):
    before, after = make(), make(unlabelled=40)
    assert before.fingerprint() == after.fingerprint()
    assert (before.info().unlabelled, before.info().unlabelled_fingerprint) == (0, "")
    assert (after.info().unlabelled, after.info().counts) == (40, before.info().counts)
    for one, two in zip(before.load().values(), after.load().values(), strict=True):
        np.testing.assert_array_equal(one.images, two.images)
        np.testing.assert_array_equal(one.labels, two.labels)
    found = after.load_unlabelled().images
    assert found.shape == (40, *after.load()["train"].images.shape[1:])
    known = {image.tobytes() for split in after.load().values() for image in split.images}
    assert not known & {image.tobytes() for image in found}, "they are images of their own"
    assert np.array_equal(make(unlabelled=50).load_unlabelled().images[:40], found), "more leave the first as they are"
    assert make(unlabelled=41).info().unlabelled_fingerprint != after.info().unlabelled_fingerprint
