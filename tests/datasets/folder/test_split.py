from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medssl_bench.datasets.folder.listing import Listing
from medssl_bench.datasets.folder.split import assign_splits
from medssl_bench.errors import DataError


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(1, 40), min_size=2, max_size=5),
    validation=st.floats(0, 0.45),
    test=st.floats(0, 0.45),
    seed=st.integers(0, 9),
)
def test_a_draw_is_stratified_and_shares_out_all_images(tmp_path, sizes, validation, test, seed):
    classes = tuple(f"class {index}" for index in range(len(sizes)))
    labels = tuple(label for label, count in enumerate(sizes) for _ in range(count))
    listing = Listing(tmp_path, classes, tuple(map(str, range(len(labels)))), labels, ("train",) * len(labels))

    try:
        splits = assign_splits(listing, validation, test, seed)
    except DataError as error:
        assert "split is empty" in str(error)  # noqa: PT017
        return

    assert sorted(np.concatenate(list(splits.values())).tolist()) == list(range(len(labels)))
    counts = {name: np.bincount(np.array(labels)[places], minlength=len(sizes)) for name, places in splits.items()}
    assert counts["train"].min() >= 1
    for label, size in enumerate(sizes):
        if size * (1 - validation - test) >= 2:  # with less, the one for training comes first
            assert abs(counts["test"][label] - test * size) <= 0.5
            assert abs(counts["val"][label] - validation * size) <= 0.5


def test_another_class_leaves_the_draw_of_the_others(tmp_path):
    def of_last(classes):
        """Return where in the last class the images of each split are."""
        labels = tuple(label for label in range(len(classes)) for _ in range(20))
        listing = Listing(tmp_path, classes, tuple(map(str, range(len(labels)))), labels, ("train",) * len(labels))
        first = 20 * (len(classes) - 1)
        splits = assign_splits(listing, 0.1, 0.2, 0).values()
        return [(places[places >= first] - first).tolist() for places in splits]

    assert of_last(("b", "c")) == of_last(("a", "b", "c"))
