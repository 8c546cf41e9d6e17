"""What a component gets wrong before any stage runs is one line that names it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medssl_bench.errors import DataError, PluginError, UserError
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.guarded import asking, make
from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.registry import Entry, Plugin, Registry

COMPONENT = Component("dataset", "mine")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("two\nlines"), "dataset 'mine': two lines"),
        (ValueError(), "dataset 'mine': ValueError"),
        (UserError("do this"), "dataset 'mine': do this"),
        (KeyError("x"), "dataset 'mine': KeyError: 'x'"),
        (SystemExit(0), "dataset 'mine': SystemExit: 0"),
    ],
)
def test_whatever_is_raised(error: BaseException, line: str) -> None:
    with pytest.raises(PluginError) as found, asking(COMPONENT):
        raise error
    assert str(found.value) == line


def test_an_error_of_the_data_passes_through() -> None:
    error = DataError("squares.npz: no zip")
    with pytest.raises(DataError) as found, asking(COMPONENT):
        raise error
    assert found.value is error


def test_an_interrupt_stays_a_request_to_stop() -> None:
    with pytest.raises(KeyboardInterrupt), asking(COMPONENT):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("kind", "name", "supplies"),
    [
        ("dataset", "Dataset", {"context": None}),
        ("evaluator", "Evaluator", {}),
        ("executor", "Executor", {}),
        ("reference", "Reference", {"table": "x"}),
        ("claims", "Claims", {}),
    ],
)
@pytest.mark.parametrize("gives", [None, 3])
def test_a_factory_that_gives_something_else(kind: str, name: str, supplies: dict[str, Any], gives: Any) -> None:
    factories: dict[tuple[str, ...], Callable[..., Any]] = {
        ("context",): lambda context: gives,  # noqa: ARG005 - a factory's signature
        ("table",): lambda table: gives,  # noqa: ARG005
        (): lambda: gives,
    }
    registry = Registry()
    registry.add(Entry(KINDS[kind], "mine", Plugin("p", "inline"), factories[KINDS[kind].receives]))
    with pytest.raises(PluginError) as found:
        make(registry, registry.resolve(kind, "mine", Path()), **supplies)
    assert str(found.value) == f"{kind} 'mine': its factory gives {type(gives).__name__}, not {name}"
