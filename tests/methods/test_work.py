"""What a method says of its work, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from medssl_bench.errors import PluginError
from medssl_bench.methods import Passes
from medssl_bench.methods.work import passes_of
from medssl_bench.plugin.entry import Entry, Plugin
from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.registry import Registry


def _method(encoder: Any, context: Any, *, crops: int = 4) -> None:
    raise AssertionError((encoder, context, crops))


def _entry(work: Any) -> Entry:
    return Entry(KINDS["method"], "cropped", Plugin("mine", "inline"), _method, work=work)


def test_a_method_that_does_not_say_has_two_trained_views() -> None:
    passes = passes_of(_entry(None), {"crops": 4}, 64)
    assert passes == Passes(trained=((64, 2),))
    assert passes.made == ((64, 2),), "a view for each pass"


def test_the_parameters_and_the_size_are_handed_over() -> None:
    def work(parameters: Mapping[str, Any], size: int) -> Passes:
        return Passes(((size, 2), (16, parameters["crops"])), frozen=((size, 2),), views=((size, 3),))

    passes = passes_of(_entry(work), {"crops": 6}, 28)
    assert (passes.trained, passes.frozen, passes.made) == (((28, 2), (16, 6)), ((28, 2),), ((28, 3),))


def _raises(parameters: Mapping[str, Any], size: int) -> Passes:
    return Passes(((size, parameters["no such"]),))


def _takes_one(parameters: Mapping[str, Any]) -> Passes:
    raise AssertionError(parameters)


def _gives(passes: Any) -> Any:
    def work(parameters: Mapping[str, Any], size: int) -> Any:
        assert (parameters, size) == ({}, 28)
        return passes

    return work


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (_raises, "cannot be counted: KeyError: 'no such'"),
        (_takes_one, "cannot be counted: TypeError: "),
        (_gives(None), "gives None, not medssl_bench.methods.Passes"),
        (_gives(Passes(((28, -1),))), "gives trained = ((28, -1),), not pairs of a side in pixels"),
        (_gives(Passes(((28, float("nan")),))), "gives trained = ((28, nan),), not pairs"),
        (_gives(Passes(((28, float("inf")),))), "gives trained = ((28, inf),), not pairs"),
        (_gives(Passes(((28, True),))), "gives trained = ((28, True),), not pairs"),
        (_gives(Passes((), frozen=((0, 2),))), "gives frozen = ((0, 2),), not pairs"),
        (_gives(Passes((), views=(28, 2))), "gives views = (28, 2), not pairs"),  # type: ignore[arg-type]
        (_gives(Passes(2)), "gives trained = 2, not pairs"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_work_is_one_line_that_names_the_method(work: Any, message: str) -> None:
    with pytest.raises(PluginError) as caught:
        passes_of(_entry(work), {}, 28)
    text = str(caught.value)
    assert text.startswith("method 'cropped' of plugin 'mine': its `work` ")
    assert message in text
    assert "\n" not in text


def _op(size: int) -> None:
    raise AssertionError(size)


def test_only_methods_have_work() -> None:
    with pytest.raises(PluginError, match="`work` is a function, and for methods, not 3"):
        Registry().add(_entry(3))
    with pytest.raises(PluginError, match="`work` is a function, and for methods"):
        Registry().add(Entry(KINDS["op"], "turned", Plugin("mine", "inline"), _op, work=_raises))
