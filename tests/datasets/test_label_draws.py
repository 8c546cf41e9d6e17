"""Label draws: nested, the same for every arm, and in the numbers and proportions that are asked for."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medssl_bench.datasets.budget import Budget
from medssl_bench.datasets.label_draws import draw_labels, draw_unlabelled
from medssl_bench.errors import StageError
from medssl_bench.suite.budget import parse_budget

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=120).map(lambda found: np.array(found)[:, None])
DRAWS = st.integers(0, 50)


def counts(labels, places):
    return Counter(labels[places, 0].tolist())


def fewest_first(numbers):
    return st.tuples(numbers, numbers).map(sorted)


@given(labels=LABELS, draw=DRAWS, data=st.data())
def test_a_count_is_that_many_different_images(labels, draw, data):
    number = data.draw(st.integers(1, len(labels)))

    places = draw_labels(labels, Budget("count", number), draw)

    assert places.dtype == np.int64
    assert len(places) == len(set(places.tolist())) == number
    assert 0 <= places.min() <= places.max() < len(labels)


@given(labels=LABELS, draw=DRAWS, stratified=st.booleans(), data=st.data())
def test_counts_are_nested(labels, draw, stratified, data):
    few, many = data.draw(fewest_first(st.integers(1, len(labels))))

    small, large = (draw_labels(labels, Budget("count", n, stratified), draw) for n in (few, many))

    assert small.tolist() == large[:few].tolist()


@given(labels=LABELS, draw=DRAWS, few_many=fewest_first(st.integers(1, 40)))
def test_numbers_per_class_are_nested(labels, draw, few_many):
    small, large = (draw_labels(labels, Budget("per_class", n, short="clip"), draw) for n in few_many)

    assert set(small.tolist()) <= set(large.tolist())


@given(labels=LABELS, draw=DRAWS, few_many=fewest_first(st.floats(0.5, 100)))
def test_percentages_are_nested_and_rounded(labels, draw, few_many):
    small, large = (draw_labels(labels, Budget("percent", p), draw) for p in few_many)

    assert small.tolist() == large[: len(small)].tolist()
    assert len(large) == max(1, round(len(labels) * few_many[1] / 100))


@given(draw=DRAWS)
def test_percentages_and_counts_are_one_order(draw):
    labels = np.zeros((200, 1), np.int64)

    tenth, twenty = draw_labels(labels, Budget("percent", 10), draw), draw_labels(labels, Budget("count", 20), draw)

    assert tenth.tolist() == twenty.tolist()


@given(labels=LABELS, draw=DRAWS, number=st.integers(1, 40))
def test_numbers_per_class_are_exact_or_all_there_are(labels, draw, number):
    places = draw_labels(labels, Budget("per_class", number, short="clip"), draw)

    whole = Counter(labels[:, 0].tolist())
    assert counts(labels, places) == {kind: min(number, there) for kind, there in whole.items()}
    assert len(set(places.tolist())) == len(places)


@given(labels=LABELS, draw=DRAWS, number=st.integers(1, 40))
def test_too_few_of_a_class_are_an_error_that_names_it(labels, draw, number):
    whole = np.bincount(labels[:, 0])
    short = [kind for kind, there in enumerate(whole) if there < number]
    if short:
        with pytest.raises(StageError, match=r"class \d has \d+ images, fewer than \d+ per class") as caught:
            draw_labels(labels, Budget("per_class", number), draw)
        named = int(str(caught.value).split()[1])
        assert str(caught.value).startswith(f"class {named} has {whole[named]} images")
        assert named in short
    else:
        places = draw_labels(labels, Budget("per_class", number), draw)
        assert set(counts(labels, places).values()) == {number}


@settings(max_examples=200)
@given(labels=LABELS, draw=DRAWS, data=st.data())
def test_a_stratified_draw_keeps_the_proportions_about_to_an_image(labels, draw, data):
    """Each class is within half an image of its share of a common cut; with C classes that bounds the difference."""
    number = data.draw(st.integers(1, len(labels)))

    found = counts(labels, draw_labels(labels, Budget("count", number, stratified=True), draw))

    whole = Counter(labels[:, 0].tolist())
    for kind, there in whole.items():
        share = there / len(labels)
        assert abs(found[kind] - number * share) <= max(0.5, (1 + share * (len(whole) - 2)) / 2) + 1e-9


def test_a_stratified_half_of_even_classes_is_exact():
    labels = (np.arange(60) % 3)[:, None]

    assert counts(labels, draw_labels(labels, Budget("percent", 50, stratified=True), 0)) == {0: 10, 1: 10, 2: 10}


def test_a_plain_draw_is_not_stratified():
    labels = (np.arange(60) % 3)[:, None]
    drawn = {
        tuple(sorted(counts(labels, draw_labels(labels, Budget("count", 30), draw)).items())) for draw in range(20)
    }

    assert len(drawn) > 5


def test_an_order_within_a_class_is_that_of_the_plain_draw():
    """A stratified draw differs from the plain one in its classes' shares alone."""
    labels = (np.arange(90) % 3)[:, None]
    plain, stratified = (draw_labels(labels, Budget("count", 90, flag), 4) for flag in (False, True))

    for kind in range(3):
        assert plain[labels[plain, 0] == kind].tolist() == stratified[labels[stratified, 0] == kind].tolist()


@given(
    labels=LABELS,
    budget=st.sampled_from([Budget("count", 1), Budget("per_class", 2, short="clip"), Budget("percent", 40)]),
)
def test_a_draw_is_the_same_every_time(labels, budget):
    assert draw_labels(labels, budget, 3).tolist() == draw_labels(labels.copy(), budget, 3).tolist()


def test_draws_and_splits_have_orders_of_their_own():
    labels = np.zeros((500, 1), np.int64)
    orders = [
        draw_labels(labels, Budget("count", 500), draw, split=split) for draw in (0, 1) for split in ("train", "val")
    ]

    assert len({tuple(order) for order in orders}) == 4
    # two unrelated orders share about 1 of their first 25 places in 500
    assert len(set(orders[0][:25].tolist()) & set(orders[1][:25].tolist())) < 7


def test_the_order_does_not_depend_on_the_labels():
    """Arms and controls with shuffled labels get the same images."""
    first, second = np.zeros((50, 1), np.int64), (np.arange(50) % 5)[:, None]

    assert draw_labels(first, Budget("count", 20), 1).tolist() == draw_labels(second, Budget("count", 20), 1).tolist()


def test_every_image_is_drawn_as_often():
    """A chi-squared of 39 degrees of freedom stays below 73.0 (p = 0.001)."""
    labels = np.zeros((40, 1), np.int64)
    drawn = np.concatenate([draw_labels(labels, Budget("count", 10), draw) for draw in range(400)])

    observed = np.bincount(drawn, minlength=40)
    # drawn without replacement, counts vary by 1 - 10/40 of what independent draws would
    assert ((observed - 100) ** 2 / 100).sum() / (1 - 10 / 40) < 73.0


def test_all_is_the_order_of_the_split_and_none_is_empty():
    labels = np.zeros((7, 1), np.int64)

    everything, nothing = draw_labels(labels, Budget("all"), 3), draw_labels(labels, Budget("none"), 3, split="val")

    assert everything.tolist() == list(range(7))
    assert nothing.shape == (0,)
    assert nothing.dtype == np.int64


def test_more_than_there_are_is_refused_or_clipped():
    labels = np.zeros((7, 1), np.int64)

    with pytest.raises(StageError, match="8 images are asked of a set of 7") as caught:
        draw_labels(labels, Budget("count", 8), 0)

    assert "\n" not in str(caught.value)
    assert sorted(draw_labels(labels, Budget("count", 8, short="clip"), 0)) == list(range(7))


def test_what_a_suite_writes_is_what_is_drawn():
    labels = (np.arange(100) % 4)[:, None]

    assert len(draw_labels(labels, parse_budget("10%"), 0)) == 10
    assert len(draw_labels(labels, parse_budget(30), 0)) == 30
    assert counts(labels, draw_labels(labels, parse_budget({"per_class": 5}), 0)) == {0: 5, 1: 5, 2: 5, 3: 5}
    assert len(draw_labels(labels, parse_budget(0), 0)) == 0


@given(total=st.integers(2, 300), seed=st.integers(0, 20), data=st.data())
def test_unlabelled_images_are_nested_and_in_order(total, seed, data):
    few, many = data.draw(fewest_first(st.integers(1, total)))

    small, large = (draw_unlabelled(total, Budget("count", n), seed) for n in (few, many))

    assert len(small) == few
    assert len(large) == many
    assert set(small.tolist()) <= set(large.tolist())
    assert (np.diff(large) > 0).all()


def test_unlabelled_images_depend_on_the_seed_and_all_on_nothing():
    first, second = (draw_unlabelled(100, Budget("count", 50), seed) for seed in (0, 1))

    assert first.tolist() != second.tolist()
    assert draw_unlabelled(100, Budget("all"), 0).tolist() == list(range(100))
    assert len(draw_unlabelled(100, Budget("percent", 25), 0)) == 25
    with pytest.raises(StageError, match="101 images are asked of a set of 100"):
        draw_unlabelled(100, Budget("count", 101), 0)


@pytest.mark.parametrize("short", ["error", "skip"])
def test_a_class_that_the_split_lacks_has_too_few_images(short):
    labels = np.repeat([0, 1], 10)[:, None]
    budget = Budget("per_class", 5, short=short)

    assert len(draw_labels(labels, budget, 0, classes=2)) == 10
    with pytest.raises(StageError, match="class 2 has 0 images, fewer than 5 per class"):
        draw_labels(labels, budget, 0, classes=3)
    assert len(draw_labels(labels, Budget("per_class", 5, short="clip"), 0, classes=3)) == 10


GROUPS = st.lists(st.integers(0, 12), min_size=1, max_size=120).map(np.array)


@given(groups=GROUPS, draw=DRAWS, few_many=fewest_first(st.integers(1, 15)))
def test_groups_are_whole_and_nested(groups, draw, few_many):
    labels = np.zeros((len(groups), 1), np.int64)

    small, large = (draw_labels(labels, Budget("groups", n, short="clip"), draw, groups=groups) for n in few_many)

    assert small.tolist() == large[: len(small)].tolist()
    for number, places in zip(few_many, (small, large), strict=True):
        chosen = np.unique(groups[places])
        assert len(chosen) == min(number, len(np.unique(groups)))
        assert sorted(places.tolist()) == np.flatnonzero(np.isin(groups, chosen)).tolist()


def test_each_group_is_drawn_as_often():
    groups = np.repeat(np.arange(20), np.arange(1, 21))  # however many images it has
    labels = np.zeros((len(groups), 1), np.int64)

    drawn = [np.unique(groups[draw_labels(labels, Budget("groups", 5), n, groups=groups)]) for n in range(400)]

    assert np.abs(np.bincount(np.concatenate(drawn)) - 100).max() < 40


def test_a_draw_of_groups_follows_the_groups_and_no_order_of_images():
    groups, order = np.repeat(np.arange(9), 4), np.random.default_rng(0).permutation(36)
    labels = np.zeros((36, 1), np.int64)

    one = draw_labels(labels, Budget("groups", 3), 0, groups=groups)
    other = draw_labels(labels, Budget("groups", 3), 0, groups=groups[order])

    assert sorted(order[other].tolist()) == sorted(one.tolist())


def test_too_few_groups_are_refused():
    labels = np.zeros((6, 1), np.int64)

    with pytest.raises(StageError, match="4 groups are asked for, and the train images are of 3"):
        draw_labels(labels, Budget("groups", 4), 0, groups=np.arange(6) // 2)
    with pytest.raises(StageError, match="4 groups are asked for, and the val images have no groups"):
        draw_labels(labels, Budget("groups", 4), 0, split="val")
