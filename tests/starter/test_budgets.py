"""Label budgets: what fits the counts, with any counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.datasets import DatasetInfo, Task
from medssl_bench.starter.budgets import label_budgets


def info(train, classes=2, groups=None, task=Task.MULTI_CLASS):
    counts = {"train": train, "val": 10, "test": 10}
    of_groups = None if groups is None else {"train": groups, "val": 3, "test": 3}
    return DatasetInfo("a", task, tuple(map(str, range(classes))), 1, 28, counts, group_counts=of_groups)


@pytest.mark.parametrize(
    ("given_info", "budgets"),
    [
        (info(20), [10, "all"]),
        (info(15), ["all"]),
        (info(210, 8), [50, 100, "all"]),
        (info(12_000, 8), [50, 500, "all"]),
        (info(300, 5, groups=60), [{"groups": 5}, {"groups": 20}, "all"]),
        (info(60, 2, groups=60), [10, 20, "all"]),
        (info(40, 2, groups=4), [10, 20, "all"]),
    ],
    ids=["few", "fewer", "hundreds", "thousands", "patients", "one image each", "four patients"],
)
def test_budgets_fit(given_info, budgets):
    assert label_budgets(given_info) == budgets


@given(st.integers(2, 10**6), st.integers(2, 100), st.none() | st.integers(1, 10**5))
def test_no_budget_is_more_than_half(train, classes, groups):
    groups = groups and min(groups, train)
    *small, everything = label_budgets(info(train, classes, groups))
    assert everything == "all"
    assert len(small) <= 2
    for budget in small:
        whole, part = (groups, budget["groups"]) if isinstance(budget, dict) else (train, budget)
        assert 2 * part <= whole
