"""Drawn splits: no group in two of them, class proportions as even as the groups allow, whatever the order of rows."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from medssl_bench.datasets.grouped_splits import drawn_splits
from medssl_bench.datasets.groups import numbered
from medssl_bench.errors import DataError
from medssl_bench.randomness import generator

SHARES = st.tuples(st.floats(0.05, 0.3), st.floats(0.05, 0.3)).map(
    lambda found: {"train": 1 - sum(found), "val": found[0], "test": found[1]}
)
SEEDS = st.integers(0, 99)


@st.composite
def tables(draw):
    """Return labels (N, 1) and groups (N,) of a table: groups of uneven sizes, of one class or of several."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    number, classes = draw(st.integers(3, 60)), draw(st.integers(2, 9))
    sizes = 1 + rng.poisson(draw(st.sampled_from([0, 1, 4, 20])), number)
    mixing = draw(st.sampled_from([0.05, 0.5, 20]))  # from patients of one class to patients who are all alike
    of_groups = rng.dirichlet(np.full(classes, mixing), number)
    labels = [rng.choice(classes, size, p=own) for size, own in zip(sizes, of_groups, strict=True)]
    return np.concatenate(labels)[:, None], np.repeat(np.arange(number), sizes)


def counts_of(labels, groups):
    """Return how many images of each class each group has."""
    found = np.zeros((groups.max() + 1, labels.max() + 1), int)
    np.add.at(found, (groups, labels[:, 0]), 1)
    return found


@settings(max_examples=1000, deadline=None)
@given(table=tables(), shares=SHARES, seed=SEEDS)
def test_no_group_is_in_two_splits_and_proportions_are_what_groups_allow(table, shares, seed):
    labels, groups = table

    splits = drawn_splits(labels, groups, shares, seed)

    assert list(splits) == list(shares)
    assert sorted(np.concatenate(list(splits.values())).tolist()) == list(range(len(labels)))
    assert all(len(places) for places in splits.values())
    assert len(np.unique(groups)) == sum(len(np.unique(groups[places])) for places in splits.values())
    by_group = counts_of(labels, groups)
    largest, classes = by_group.sum(axis=1).max(), by_group.shape[1]
    for name, share in shares.items():  # each class may be a group off, and what is off in two splits is in the third
        allowed = max(3, classes) * largest * (2 if share > 0.5 else 1)
        assert abs(len(splits[name]) - share * len(labels)) <= allowed


def unevenness(by_group, parts, shares):
    """Return how far the shares of the classes in the parts are from those asked for, on average."""
    held = np.stack([by_group[parts == part].sum(axis=0) for part in range(3)])
    return np.abs(held / np.maximum(by_group.sum(axis=0), 1) / np.array(list(shares.values()))[:, None] - 1).mean()


def test_proportions_are_much_more_even_than_those_of_a_random_draw_of_groups():
    rng, ours, random = np.random.default_rng(0), [], []
    shares = {"train": 0.7, "val": 0.1, "test": 0.2}
    for seed in range(100):
        groups = np.repeat(np.arange(40), 1 + rng.poisson(8, 40))
        labels = (rng.integers(0, 4, 40)[groups] + rng.integers(0, 3, len(groups)))[:, None]
        by_group = counts_of(labels, groups)
        splits = drawn_splits(labels, groups, shares, seed)
        parts = np.argmax([np.isin(np.arange(40), groups[places]) for places in splits.values()], axis=0)
        ours.append(unevenness(by_group, parts, shares))
        random.append(unevenness(by_group, rng.choice(3, 40, p=list(shares.values())), shares))

    assert np.mean(ours) < 0.5 * np.mean(random)


@settings(max_examples=200, deadline=None)
@given(table=tables(), shares=SHARES, seed=SEEDS, data=st.data())
def test_the_order_of_rows_and_the_numbers_of_classes_decide_nothing(table, shares, seed, data):
    labels, groups = table
    order = np.random.default_rng(data.draw(SEEDS)).permutation(len(labels))

    one = drawn_splits(labels, groups, shares, seed)
    other = drawn_splits(labels[order] * 3 + 1, groups[order] * 7, shares, seed)

    for name in shares:
        assert sorted(order[other[name]].tolist()) == one[name].tolist()


@settings(max_examples=300, deadline=None)
@given(table=tables(), folds=st.integers(2, 6), seed=SEEDS)
def test_equal_shares_are_the_folds_of_scikit_learn(table, folds, seed):
    labels, groups = table
    number = groups.max() + 1
    sizes = np.bincount(labels[:, 0])
    if folds > max(sizes) or 3 * folds > number:
        return  # scikit-learn refuses these, or leaves folds empty: what we do then decides ties in another way
    order = generator("grouped splits", seed=seed).permutation(number)
    renumbered = np.empty(number, int)
    renumbered[order] = np.arange(number)
    with warnings.catch_warnings(action="ignore"):  # that a class has fewer images than there are folds
        theirs = [t.tolist() for _, t in StratifiedGroupKFold(folds).split(labels, labels[:, 0], renumbered[groups])]

    ours = drawn_splits(labels, groups, dict.fromkeys(range(folds), 1), seed)

    if all(theirs):  # it may leave a fold empty
        assert [places.tolist() for places in ours.values()] == theirs


@settings(max_examples=100, deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=3, max_size=5), shares=SHARES, seed=SEEDS)
def test_without_groups_each_class_has_its_share(sizes, shares, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)[:, None]

    splits = drawn_splits(labels, None, shares, seed)

    assert sorted(np.concatenate(list(splits.values())).tolist()) == list(range(len(labels)))
    for name, share in shares.items():
        found = np.bincount(labels[splits[name], 0], minlength=len(sizes))
        assert (np.abs(found - share * np.array(sizes)) <= 2).all()


def test_a_multi_label_set_keeps_the_share_of_each_label():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), 3)
    labels = (rng.random((600, 4)) < [0.5, 0.3, 0.1, 0.03]).astype(np.int64)

    splits = drawn_splits(labels, groups, {"train": 0.7, "val": 0.1, "test": 0.2}, 0)

    for name, share in (("train", 0.7), ("val", 0.1), ("test", 0.2)):
        np.testing.assert_allclose(labels[splits[name]].sum(axis=0), share * labels.sum(axis=0), atol=3)
        assert abs(len(splits[name]) - share * 600) <= 6


def test_a_share_of_nothing_stays_empty():
    splits = drawn_splits(np.array([[0], [1]] * 4), np.arange(8), {"train": 0.8, "val": 0.2, "test": 0.0}, 0)

    assert len(splits["test"]) == 0


def test_another_seed_is_another_draw():
    labels, groups = np.array([[0], [1]] * 40), np.arange(80) // 2

    first, second = (drawn_splits(labels, groups, {"train": 0.8, "test": 0.2}, seed)["test"] for seed in (0, 1))

    assert first.tolist() != second.tolist()


@pytest.mark.parametrize(("groups", "said"), [(np.zeros(3, int), "1 group cannot"), (np.array([0, 0, 4]), "2 groups")])
def test_too_few_groups_are_refused(groups, said):
    with pytest.raises(DataError, match=said):
        drawn_splits(np.array([[0], [1], [1]]), groups, {"train": 0.7, "val": 0.1, "test": 0.2}, 0)


def test_what_a_draw_is():
    """A draw decides results, so it may not change: these are the parts of ten patients."""
    labels = np.array([0, 0, 1, 1, 1, 0, 2, 2, 0, 1, 1, 2, 0, 0, 0, 1, 2, 2, 1, 0])[:, None]
    groups = numbered([f"p{place // 2}" for place in range(20)])

    splits = drawn_splits(labels, groups, {"train": 0.6, "val": 0.2, "test": 0.2}, 0)

    assert {name: np.unique(groups[places]).tolist() for name, places in splits.items()} == {
        "train": [0, 1, 2, 3, 6, 7, 8],
        "val": [5, 9],
        "test": [4],
    }
