"""What a suite may ask of a data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medssl_bench.datasets import DatasetInfo, Task
from medssl_bench.evaluators import Evaluator
from medssl_bench.metrics.more import ece, loss_after_temperature
from medssl_bench.plan.checks import CellCheck
from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.registry import Entry, Plugin, Registry
from medssl_bench.suite.budget import parse_budget
from medssl_bench.suite.schema import Comparison
from medssl_bench.suite.table import Table


def _table(**model: Any) -> Table:
    arm = {"name": "a", "evaluator": "knn"}
    comparison = Comparison.model_validate({"id": "t", "datasets": ["d"], "labels": [1], "arm": [arm], **model})
    return Table(comparison, (), (), (), (0,), (0,))


def _check(info: DatasetInfo | None, **model: Any) -> CellCheck:
    return CellCheck(_table(**model), info)


def _info(task: Task = Task.MULTI_CLASS, class_counts: tuple[int, ...] | None = (50, 40, 10)) -> DatasetInfo:
    return DatasetInfo(
        "Set", task, ("a", "b", "c"), 1, 28, {"train": 100, "val": 20, "test": 30}, class_counts=class_counts
    )


@pytest.mark.parametrize(
    ("budget", "wrong", "skipped"),
    [
        (100, "", False),
        (
            101,
            "Set, train split: 101 images are asked of a set of 100; ask for fewer, or write { count = 101, short",
            False,
        ),
        ({"count": 101, "short": "clip"}, "", False),
        ({"count": 101, "short": "skip"}, "", True),
        ({"count": 100, "short": "skip"}, "", False),
        ("all", "", False),
        ("100%", "", False),
        ({"percent": 1, "stratified": True}, "", False),
        ({"per_class": 10}, "", False),
        (
            {"per_class": 11},
            "Set: class 'c' has 10 training images, fewer than 11; write { per_class = 11, short = ",
            False,
        ),
        ({"per_class": 11, "short": "clip"}, "", False),
        ({"per_class": 11, "short": "skip"}, "", True),
        ({"per_class": 10, "short": "skip"}, "", False),
    ],
)
def test_label_budgets(budget: Any, wrong: str, skipped: bool) -> None:
    check = _check(_info())
    found = check.labels(parse_budget(budget))
    assert found.startswith(wrong)
    assert bool(found) == bool(wrong)
    assert check.skips(parse_budget(budget)) == skipped


def test_what_is_offered_is_what_the_schema_takes() -> None:
    budget = parse_budget({"per_class": 11})
    assert _check(_info()).labels(budget).endswith('(all there are) or short = "skip"')
    assert _check(_info()).teacher_labels(budget).endswith("(all there are)")


def test_what_cannot_be_known_is_not_found_wrong() -> None:
    for info in (None, _info(class_counts=None)):
        assert _check(info).labels(parse_budget({"per_class": 999})) == ""
        assert not _check(info).skips(parse_budget({"per_class": 999, "short": "skip"}))
    assert _check(None).labels(parse_budget(10**6)) == ""
    assert _check(None, validation_labels=10**6).validation_labels() == ""


@pytest.mark.parametrize(
    "budget", [{"per_class": 1}, {"count": 5, "stratified": True}, {"percent": 5, "stratified": True}]
)
def test_multi_label_sets_have_no_one_class(budget: Any) -> None:
    check = _check(_info(Task.MULTI_LABEL, None))
    assert check.labels(parse_budget(budget)).startswith(
        "Set is a multi-label set: its images have no one class; draw a"
    )
    assert check.labels(parse_budget(5)) == ""
    assert "multi-label" in _check(_info(Task.MULTI_LABEL, None), validation_labels=budget).validation_labels()


def test_validation_labels_are_counted_too() -> None:
    assert _check(_info(), validation_labels=20).validation_labels() == ""
    assert _check(_info(), validation_labels=0).validation_labels() == ""
    assert (
        _check(_info(), validation_labels=21).validation_labels().startswith("Set, val split: 21 images are asked of")
    )
    assert _check(_info(), validation_labels={"count": 21, "short": "clip"}).validation_labels() == ""
    assert _check(_info(), validation_labels={"per_class": 99}).validation_labels() == "", "its classes are not known"
    counted = replace(_info(), val_class_counts=(12, 3, 5))
    assert _check(counted, validation_labels={"per_class": 3}).validation_labels() == ""
    assert _check(counted, validation_labels={"per_class": 4, "short": "clip"}).validation_labels() == ""
    found = _check(counted, validation_labels={"per_class": 4}).validation_labels()
    assert found.startswith("Set: class 'b' has 3 validation images, fewer than 4; write { per_class = 4, short = ")
    assert found.endswith('"clip" } (all there are)')


class _Picky(Evaluator):
    def refuses(self, info: DatasetInfo) -> str:
        if info.task is Task.MULTI_LABEL:
            raise KeyError("no such task")
        return "it is too small" if info.counts["train"] < 200 else ""

    def evaluate(self, trial: Any) -> Any:
        raise NotImplementedError


def test_evaluators_may_refuse() -> None:
    registry = Registry()
    registry.add(Entry(KINDS["evaluator"], "picky", Plugin("mine", "inline"), _Picky))
    picky = registry.resolve("evaluator", "picky", Path())
    assert _check(_info()).evaluator(registry, picky) == "'picky' cannot judge on 'Set': it is too small"
    assert _check(None).evaluator(registry, picky) == ""
    assert _check(_info(Task.MULTI_LABEL, None)).evaluator(registry, picky) == (
        "evaluator 'picky': KeyError: 'no such task'"
    )


@pytest.mark.parametrize(
    ("budget", "wrong", "skipped"),
    [
        ({"groups": 10}, "", False),
        (
            {"groups": 11},
            "Set, train split: 11 groups are asked of 10; ask for fewer, or write { groups = 11, short = ",
            False,
        ),
        ({"groups": 11, "short": "clip"}, "", False),
        ({"groups": 11, "short": "skip"}, "", True),
        ({"groups": 10, "short": "skip"}, "", False),
    ],
)
def test_a_budget_in_groups(budget: Any, wrong: str, skipped: bool) -> None:
    info = replace(_info(), group_counts={"train": 10, "val": 2, "test": 3})
    found = _check(info).labels(parse_budget(budget))

    assert found.startswith(wrong)
    assert bool(found) == bool(wrong)
    assert _check(info).skips(parse_budget(budget)) is skipped
    assert _check(info, validation_labels={"groups": 3}).validation_labels().startswith("Set, val split: 3 groups")
    assert _check(info, validation_labels={"groups": 2}).validation_labels() == ""


def test_a_budget_in_groups_needs_groups() -> None:
    assert _check(_info()).labels(parse_budget({"groups": 1})).startswith("Set has no groups, such as patients")
    assert _check(None).labels(parse_budget({"groups": 1})) == ""


@pytest.mark.parametrize(("key", "value"), [("validation_labels", 0), ("selection", "last"), ("selection", "test")])
def test_a_metric_that_needs_validation_scores_is_refused_where_none_are_kept(key: str, value: object) -> None:
    check, usual = (
        CellCheck(replace(_table(**model), metrics={"ece": ece(), "after": loss_after_temperature()}), _info())
        for model in ({key: value}, {})
    )
    assert key in check.metric("after")
    assert not check.metric("ece")
    assert not usual.metric("after")
