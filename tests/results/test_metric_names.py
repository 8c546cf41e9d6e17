"""How metrics are written: with the parameters without which a name says little."""

from __future__ import annotations

import inspect

from medssl_bench.metrics import more
from medssl_bench.results.metric_names import SAID, metric_name


def test_what_is_said_is_what_holds_by_default() -> None:
    for name, said in SAID.items():
        parameter, _, value = said.partition("=")
        assert str(inspect.signature(getattr(more, name)).parameters[parameter].default) == value
        assert metric_name(name) == f"{name.replace('_', ' ')} ({said})"


def test_given_parameters_stand_in_their_place() -> None:
    assert metric_name("sensitivity specificity=0.8") == "sensitivity (specificity=0.8)"
    assert metric_name("ece") == "ECE"
