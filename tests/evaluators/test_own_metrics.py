"""What evaluators declare that they measure themselves."""

from __future__ import annotations

import pytest

from medssl_bench.errors import PluginError
from medssl_bench.evaluators import Evaluator
from medssl_bench.evaluators.own_metrics import RESERVED_METRICS, measured_by
from medssl_bench.metrics import Metric


def _declares(measures):
    class Declares(Evaluator):
        def evaluate(self, trial):
            raise NotImplementedError

    Declares.measures = measures
    return Declares()


@pytest.mark.parametrize("name", RESERVED_METRICS)
def test_it_cannot_take_the_place_of_the_harness_own(name):
    with pytest.raises(PluginError, match=f"evaluator 'mine' declares a metric called '{name}', which is a name of"):
        measured_by("mine", _declares({name: Metric()}))


@pytest.mark.parametrize(
    ("measures", "complaint"),
    [
        (["gap"], "not as a dict by name"),
        ({"gap": "lower"}, "'gap': it is str, not a Metric"),
        ({"gap": Metric(lambda _: 0.0)}, "'gap': it has a function, but the evaluator gives its value"),
        ({"gap": Metric(low=2.0)}, "'gap': its range is empty"),
    ],
)
def test_a_declaration_that_is_wrong(measures, complaint):
    with pytest.raises(PluginError, match=complaint):
        measured_by("mine", _declares(measures))


def test_none_are_declared_unless_it_says_so():
    assert measured_by("mine", _declares({})) == {}
