"""What a metric may give, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medssl_bench.datasets import Task
from medssl_bench.errors import PluginError, UserError
from medssl_bench.metrics import Finished, Metric, Predictions
from medssl_bench.metrics.compute import compute
from medssl_bench.metrics.find import find_metric, make_metric
from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.plugin.registry import Entry, NameCollision, Plugin, Registry

GIVEN = Finished({}, {}, [])


@pytest.mark.parametrize(
    ("found", "value"), [(0.5, 0.5), (1, 1.0), (np.float32(0.25), 0.25), (np.array(0.5), 0.5), (None, None)]
)
def test_a_number_or_none(found, value):
    assert compute("x", Metric(lambda _: found), GIVEN).value == value


@pytest.mark.parametrize(
    ("found", "complaint"),
    [
        (math.nan, "gives nan; return None where it is not defined"),
        (math.inf, "gives inf"),
        (1.5, "gives 1.5, outside its range 0 to 1"),
        (-0.1, "outside its range"),
        (True, "gives bool, not a number"),
        ("0.5", "gives str, not a number"),
        ([0.5], "gives list, not a number"),
    ],
)
def test_what_is_no_value_is_refused(found, complaint):
    with pytest.raises(PluginError, match=rf"^metric 'x' .*{complaint}"):
        compute("x", Metric(lambda _: found), GIVEN)


def test_what_its_function_raises_is_told_in_one_line():
    with pytest.raises(PluginError, match=r"^metric 'x': ZeroDivisionError: division by zero$"):
        compute("x", Metric(lambda _: 1 / 0), GIVEN)


def test_the_mean_over_the_classes_that_are_defined():
    found = compute("x", Metric(lambda _: np.array([0.5, 1.0]), per_class=True), GIVEN)
    assert (found.value, found.classes) == (0.75, (0.5, 1.0))
    found = compute("x", Metric(lambda _: [0.5, None, 1.0], per_class=True), GIVEN)
    assert (found.value, found.classes) == (0.75, (0.5, None, 1.0))
    assert compute("x", Metric(lambda _: [None, None], per_class=True), GIVEN).value is None
    with pytest.raises(PluginError, match="gives float, not a value for each class"):
        compute("x", Metric(lambda _: 0.5, per_class=True), GIVEN)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"measure": 3}, "not a function"),
        ({"low": 1.0}, "its range is empty"),
        ({"high": math.nan}, "high is nan"),
        ({"tasks": ("regression",)}, "give a tuple of some of multi-class"),
        ({"tasks": [Task.BINARY]}, "give a tuple"),
        ({"reads": "images"}, "it must be 'predictions' or 'record'"),
        ({"higher_is_better": "no"}, "must be True or False"),
        ({"measure": None}, "it has no function"),
    ],
)
def test_a_declaration_that_is_wrong(fields, complaint):
    registry = Registry()
    registry.add(
        Entry(KINDS["metric"], "x", Plugin("p", "inline"), lambda: Metric(**{"measure": lambda _: 0.0, **fields}))
    )
    with pytest.raises(UserError, match=rf"^metric 'x': .*{complaint}"):
        make_metric("x", registry)


def test_an_unknown_name_has_a_hint():
    registry = load_plugins().registry
    with pytest.raises(UserError, match=r"there is no metric 'acuracy' \(did you mean 'accuracy'\?\)"):
        find_metric("acuracy", registry, {})
    with pytest.raises(UserError, match=r"did you mean 'loss_gap'\?"):
        find_metric("los_gap", registry, {"loss_gap": Metric()})


def test_a_name_has_one_meaning():
    registry = load_plugins().registry
    with pytest.raises(NameCollision, match="both register metric 'accuracy'"):
        registry.add(Entry(KINDS["metric"], "accuracy", Plugin("mine", "inline"), lambda: Metric(lambda _: 1.0)))
    registry.add(Entry(KINDS["metric"], "gap", Plugin("mine", "inline"), lambda: Metric(lambda _: 1.0)))
    with pytest.raises(UserError, match="is also what an evaluator of this comparison measures itself"):
        find_metric("gap", registry, {"gap": Metric()})


@pytest.mark.parametrize("name", ["accuracy", "auroc", "balanced_accuracy"])
def test_the_built_in_metrics_compute_what_records_have(name):
    from medssl_bench.metrics.classification import measure

    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 3, (50, 1)), rng.dirichlet((1, 1, 1), 50).astype(np.float32)
    metric = make_metric(name, load_plugins().registry)
    found = compute(name, metric, Predictions(Task.MULTI_CLASS, labels, scores)).value
    assert found == measure(Task.MULTI_CLASS, labels, scores)[name]
