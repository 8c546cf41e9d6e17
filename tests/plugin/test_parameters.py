"""The typed keywords of a factory as a validated, documented table."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.errors import PluginError
from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.parameters import Components, Field, OneComponent, ParameterProblem, ParameterTable

if TYPE_CHECKING:
    import torch

BASE = Path("/base")


class Mode(Enum):
    FAST = "fast"
    SLOW = "slow"


@dataclass(frozen=True)
class Kind:
    """A type, values of it as TOML writes them, what the factory must receive, and values that are not of it."""

    annotation: Any
    values: st.SearchStrategy[Any]
    received: Callable[[Any], Any]
    wrong: st.SearchStrategy[Any]


INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
OTHERS = st.sampled_from([True, "1", None, [], {}, 0.5])
TYPES = [
    Kind(int, INTEGERS, int, OTHERS),
    Kind(float, FLOATS | st.integers(-(2**53), 2**53), float, OTHERS.filter(lambda value: value != 0.5)),
    Kind(str, st.text(st.characters(codec="utf-8")), str, OTHERS.filter(lambda value: value != "1")),
    Kind(bool, st.booleans(), bool, OTHERS.filter(lambda value: value is not True) | st.integers()),
    Kind(Annotated[int, Field(ge=1, le=9)], st.integers(1, 9), int, st.integers(max_value=0) | st.integers(10, 2**60)),
    Kind(Literal["a", "b"], st.sampled_from("ab"), str, st.sampled_from(["c", 1, None])),
    Kind(Mode, st.sampled_from(["fast", "slow"]), Mode, st.just("FAST")),
    Kind(Path, st.sampled_from(["a", "b/c", "/d"]), lambda text: BASE / text, st.just(3)),
    Kind(Path | None, st.sampled_from(["a", None]), lambda text: text and BASE / text, st.just(3)),
    Kind(list[float], st.lists(FLOATS, max_size=3), lambda v: v, st.sampled_from([["a"], "a", 1.0])),
    Kind(tuple[float, float], st.tuples(FLOATS, FLOATS).map(list), tuple, st.sampled_from([[1.0], [1.0] * 3, 1.0])),
    Kind(tuple[int, ...], st.lists(INTEGERS, max_size=3), tuple, st.sampled_from([[1.5], 1])),
    Kind(dict[str, int], st.dictionaries(st.sampled_from("abc"), INTEGERS), dict, st.sampled_from([[], {"a": "b"}])),
    Kind(int | str, INTEGERS | st.sampled_from(["x"]), lambda v: v, st.sampled_from([1.5, None])),
    Kind(Any, FLOATS | st.lists(st.booleans()), lambda v: v, st.nothing()),
]


def _factory(annotations: dict[str, Any]) -> Callable[..., Any]:
    """Return a factory of data sets with required keywords of these types."""

    signature = f"def made(context, *, {', '.join(annotations)}): ..."
    scope: dict[str, Any] = {}
    exec(signature, scope)
    scope["made"].__annotations__ = annotations
    made: Callable[..., Any] = scope["made"]
    return made


def _table(factory: Callable[..., Any]) -> ParameterTable:
    return ParameterTable(factory, KINDS["dataset"])


@given(st.data(), st.lists(st.sampled_from(TYPES), min_size=1, max_size=4))
def test_values_are_kept_as_json_and_arrive_typed(data: st.DataObject, kinds: list[Kind]) -> None:
    named = {f"p{place}": kind for place, kind in enumerate(kinds)}
    table = _table(_factory({name: kind.annotation for name, kind in named.items()}))
    given_values = {name: data.draw(kind.values) for name, kind in named.items()}
    kept = table.validate(given_values, BASE)
    assert json.loads(json.dumps(kept)) == kept
    assert table.validate(kept, Path("/elsewhere")) == kept, "what is kept is valid, wherever it is read"
    instance = table.instance(kept)
    for name, kind in named.items():
        wanted = kind.received(given_values[name])
        assert getattr(instance, name) == wanted
        if kind.annotation is not Any:
            assert type(getattr(instance, name)) is type(wanted)


@given(st.data(), st.sampled_from([kind for kind in TYPES if kind.annotation is not Any]))
def test_values_of_another_type_are_refused_at_their_place(data: st.DataObject, kind: Kind) -> None:
    table = _table(_factory({"p": kind.annotation, "q": int}))
    wrong = data.draw(kind.wrong)
    with pytest.raises(ParameterProblem) as caught:
        table.validate({"p": wrong, "q": 1}, BASE)
    assert caught.value.path[0] == "p"
    assert ", not " in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("values", "path", "message"),
    [
        ({"rate": 1.0}, ("rate",), "unknown parameter (did you mean 'range'?); it takes range, items, limits"),
        ({}, (), "parameter 'range' is required (number >= 0)"),
        ({"range": -1}, ("range",), "input should be greater than or equal to 0, not -1"),
        ({"range": float("nan")}, ("range",), "input should be a finite number, not nan"),
        ({"range": 1, "items": [1, 2, "x"]}, ("items", 2), "input should be a valid integer, not 'x'"),
        ({"range": 1, "limits": [1]}, ("limits",), "field required"),
        ({"range": 1, "items": ["y" * 100]}, ("items", 0), f"input should be a valid integer, not '{'y' * 56}..."),
    ],
)
def test_what_is_wrong_is_told_with_its_path(values: dict[str, Any], path: tuple[Any, ...], message: str) -> None:
    def factory(
        context: object,
        *,
        range: Annotated[float, Field(ge=0)],  # noqa: A002
        items: list[int] = [],  # noqa: B006
        limits: tuple[float, float] = (0, 1),
    ) -> None:
        pass

    with pytest.raises(ParameterProblem) as caught:
        _table(factory).validate(values, BASE)
    assert caught.value.path[: len(path)] == path
    assert caught.value.message.startswith(message)


def _documented(
    context: torch.Tensor,  # what the harness hands over may be imported for type checkers only
    *,
    blur: Annotated[float, Field(gt=0, le=5)] = 0.5,
    mode: Literal["a", 2] = "a",
    size: tuple[int, int] = (1, 2),
    names: list[str] | None = None,
    file: Path | None = None,
    deep: bool,
    table: dict[str, int] = {},  # noqa: B006
) -> None:
    """One line.

    More lines.

    Args:
        context: handed over.
        blur: how much,
            in pixels.
        deep: whether.
    """


def test_parameters_are_documented() -> None:
    shown = {parameter.name: parameter for parameter in _table(_documented).parameters()}
    assert list(shown) == ["blur", "mode", "size", "names", "file", "deep", "table"]
    assert {name: found.type for name, found in shown.items()} == {
        "blur": "number > 0 <= 5",
        "mode": '"a" | 2',
        "size": "[integer, integer]",
        "names": "list of text | none",
        "file": "path | none",
        "deep": "true | false",
        "table": "table",
    }
    assert {name: found.default for name, found in shown.items()} == {
        "blur": "0.5", "mode": '"a"', "size": "[1, 2]", "names": "null", "file": "null", "deep": "", "table": "{}",
    }  # fmt: skip
    assert [found.name for found in shown.values() if found.required] == ["deep"]
    assert shown["blur"].doc == "how much, in pixels."
    assert shown["mode"].doc == ""
    schema = _table(_documented).json_schema()
    assert schema["properties"]["blur"] == {
        "default": 0.5, "description": "how much, in pixels.", "exclusiveMinimum": 0, "maximum": 5, "title": "Blur",
        "type": "number",
    }  # fmt: skip
    assert schema["required"] == ["deep"]


def test_defaults_are_filled_in() -> None:
    found = _table(_documented).validate({"deep": True}, BASE)
    assert found == {
        "blur": 0.5, "mode": "a", "size": [1, 2], "names": None, "file": None, "deep": True, "table": {},
    }  # fmt: skip


def test_relative_paths_start_from_the_base_and_home_is_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")

    def factory(context: object, *, path: Path, other: Optional[Path] = None) -> None:  # noqa: UP045
        pass

    table = _table(factory)
    assert table.path_names() == ["path", "other"]
    for text, wanted in (("a/../b", "/base/b"), ("/c", "/c"), ("~/d", "/home/someone/d")):
        assert table.validate({"path": text}, BASE) == {"path": wanted, "other": None}
    for text in ("a\0b", "~nobody_at_all/x"):
        with pytest.raises(ParameterProblem, match="is not a path"):
            table.validate({"path": text}, BASE)


def test_classes_and_partials_are_factories_too() -> None:
    class Thing:
        def __init__(self, context: object, *, depth: int = 3) -> None:
            """Make it."""

    assert _table(Thing).parameters()[0].default == "3"

    def two(context: object, *, depth: int = 3, width: Annotated[int, Field(ge=1)] = 4) -> None:
        pass

    assert [found.name for found in _table(partial(two, width=9)).parameters()] == ["depth", "width"]


def test_nested_components_are_left_to_the_registry() -> None:
    def factory(
        context: object,
        *,
        ops: Annotated[list[Any], Components("op")],
        augmentation: Annotated[Any, OneComponent("augmentation")] = None,
    ) -> None:
        pass

    table = _table(factory)
    assert table.nested == {"ops": Components("op"), "augmentation": OneComponent("augmentation")}
    values = {"ops": ["a", {"name": "b"}]}
    assert table.validate(values, BASE) == {**values, "augmentation": None}


def _no_type(context: object, *, x=1): ...
def _wrong_first(size: int, *, x: int = 1): ...
def _nothing_first(*, x: int = 1): ...
def _second(context: object, other: int = 1, *, x: int = 1): ...
def _args(context: object, *args: int): ...
def _kwargs(context: object, **kwargs: int): ...
def _unknown_type(context: object, *, x: Nonsense = 1): ...  # noqa: F821
def _hidden_type(context: object, *, x: torch.Tensor | None = None): ...
def _no_json(context: object, *, x: Any = print): ...
def _wrong_default(context: object, *, x: int = 0.5): ...
def _outside_default(context: object, *, x: Annotated[int, Field(ge=1)] = 0): ...
def _called_name(context: object, *, name: str = "x"): ...
def _underscore(context: object, *, _x: int = 1): ...
def _pydantic(context: object, *, model_dump: int = 1): ...
def _paths(context: object, *, x: list[Path] = []): ...  # noqa: B006


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        (3, "3 is not a function, a class or 'module:attribute'"),
        (None, "None is not a function"),
        (_no_type, "parameter 'x' has no type; write 'x: float' or the like"),
        (_wrong_first, r"must have the signature \(context, \*, ...\); this one takes \(size\)"),
        (_nothing_first, r"this one takes \(\)"),
        (_second, r"this one takes \(context, other\)"),
        (_args, r"without \*args or \*\*kwargs"),
        (_kwargs, r"without \*args or \*\*kwargs"),
        (_unknown_type, r"cannot be evaluated \(name 'Nonsense' is not defined\); import it outside"),
        (_hidden_type, r"name 'torch' is not defined\); import it outside 'if TYPE_CHECKING'"),
        (_no_json, "the default of parameter 'x', <built-in function print>, is nothing that TOML can hold"),
        (_wrong_default, "the default of parameter 'x': Input should be a valid integer"),
        (_outside_default, "the default of parameter 'x': Input should be greater than or equal to 1"),
        (_called_name, "a parameter cannot be called 'name'"),
        (_underscore, "a parameter cannot be called '_x'"),
        (_pydantic, "a parameter cannot be called 'model_dump'"),
        (_paths, "parameter 'x' must be a Path, or a Path or None, to name files"),
    ],
)
def test_factories_that_cannot_be_called_are_refused(factory: Any, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        _table(factory)


def test_an_optimizer_without_a_learning_rate_is_refused() -> None:
    def still(groups: object, recorded: bool, *, weight_decay: float = 0.0) -> None: ...

    with pytest.raises(PluginError, match="the factory of optimizer must have a parameter 'lr'"):
        ParameterTable(still, KINDS["optimizer"])


def test_names_that_pydantic_uses_are_names_like_any_other() -> None:
    def factory(context: object, *, copy: int = 1, schema: str = "a", json: bool = True, model_name: str = "m") -> None:
        pass

    table = _table(factory)
    values = table.validate({"copy": 2}, BASE)
    assert values == {"copy": 2, "schema": "a", "json": True, "model_name": "m"}
    assert table.instance(values).copy == 2


class _Own:
    pass


@pytest.mark.parametrize(
    "annotation", [Callable, Callable[[int], int] | None, list[Callable[[], None]], _Own, memoryview]
)
def test_types_that_toml_cannot_hold_are_refused_in_one_line(annotation: Any) -> None:
    with pytest.raises(PluginError) as caught:
        _table(_factory({"good": int, "bad": annotation}))
    wanted = "parameter 'bad' has a type that TOML cannot hold; use numbers, texts, paths, lists or tables"
    assert str(caught.value) == wanted


def test_defaults_that_toml_cannot_hold_are_refused_in_one_line() -> None:
    for default in (b"\xff", int, _Own()):

        def made(context: Any, *, bad: Any = default) -> None: ...

        with pytest.raises(PluginError, match=r"^the default of parameter 'bad', .*, is nothing that TOML can hold$"):
            _table(made)


def test_a_parameter_is_documented_where_its_factory_documents_it() -> None:
    """In the docstring of a class' __init__, and in the annotation; the docstring counts first."""

    class Blur:
        def __init__(
            self,
            size: int,
            *,
            sigma: Annotated[float, Field(gt=0, description="of the annotation")] = 1.0,
            p: Annotated[float, Field(description="how\noften")] = 0.5,
            n: int = 1,
        ) -> None:
            """Blur.

            Args:
                sigma: standard deviation.
            """

    table = ParameterTable(Blur, KINDS["op"])
    assert [parameter.doc for parameter in table.parameters()] == ["standard deviation.", "how often", ""]
    properties = table.json_schema()["properties"]
    assert properties["sigma"]["description"] == "standard deviation."
    assert properties["p"]["description"] == "how\noften"
