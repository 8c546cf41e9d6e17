"""Frozen dataclasses and pydantic models as components: their fields are the parameters."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, create_model, field_validator, model_validator

from medssl_bench.errors import PluginError
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.parameters import (
    AddedLater,
    Components,
    Field,
    InDuration,
    LooksInto,
    OneComponent,
    ParameterProblem,
    ParameterTable,
)
from medssl_bench.plugin.registry import Entry, Plugin, Registry

if TYPE_CHECKING:
    import torch

PLUGIN = Plugin("mine", "inline", source="abc")
BASE = Path("/base")


def _look(path: Path) -> None:
    if path.read_bytes() != b"good":
        raise ValueError("it is not good")


@dataclass(frozen=True)
class Base:
    """Of several components.

    Attributes:
        rate: how fast,
            in steps.
        shared: of the base.
    """

    rate: Annotated[float, Field(gt=0)]
    shared: Literal["a", "b"] = "a"


@dataclass(frozen=True)
class Judge(Base):
    """Judges.

    More of it.

    Args:
        shared: of the component itself.
    """

    needs: ClassVar[torch.Tensor]  # a type that only type checkers know, of what is no parameter

    many: list[int] = field(default_factory=lambda: [1, 2])
    """Many,
    in a list."""
    drops: InitVar[int] = 3
    mode: Annotated[str, Field(description="of the\ntype")] = "m"
    later: Annotated[int, AddedLater(0)] = 0
    period: Annotated[int | None, InDuration(least=1)] = None
    file: Annotated[Path | None, LooksInto(_look)] = None
    derived: int = field(init=False)
    kind = "no parameter"

    def __post_init__(self, drops: int) -> None:
        if len(self.many) == drops:
            raise ValueError(f"many must not have\n{drops} numbers")
        object.__setattr__(self, "derived", drops * 2)


class Modelled(BaseModel):
    """Judges.

    More of it.
    """

    model_config = ConfigDict(frozen=True)

    rate: float = Field(gt=0, description="how fast, in steps.")
    shared: Literal["a", "b"] = Field("a", description="of the component itself.")
    many: list[int] = Field(default_factory=lambda: [1, 2], description="Many, in a list.")
    drops: int = 3
    mode: str = Field("m", description="of the\ntype")
    later: Annotated[int, AddedLater(0)] = 0
    period: Annotated[int | None, InDuration(least=1)] = None
    file: Annotated[Path | None, LooksInto(_look)] = None

    @field_validator("mode")
    @classmethod
    def _short(cls, mode: str) -> str:
        if len(mode) > 3:
            raise ValueError(f"{mode!r} is\ntoo long")
        return mode

    @model_validator(mode="after")
    def _not_as_many(self) -> Modelled:
        if len(self.many) == self.drops:
            raise ValueError(f"many must not have\n{self.drops} numbers")
        return self


def factory(
    *,
    rate: Annotated[float, Field(gt=0)],
    shared: Literal["a", "b"] = "a",
    many: list[int] = [1, 2],  # noqa: B006
    drops: int = 3,
    mode: Annotated[str, Field(description="of the\ntype")] = "m",
    later: Annotated[int, AddedLater(0)] = 0,
    period: Annotated[int | None, InDuration(least=1)] = None,
    file: Annotated[Path | None, LooksInto(_look)] = None,
) -> tuple[Any, ...]:
    """Judges.

    More of it.

    Args:
        rate: how fast, in steps.
        shared: of the component itself.
        many: Many, in a list.
    """
    return rate, shared, many, drops, mode, later, period, file


def _registry(**factories: Any) -> Registry:
    registry = Registry()
    for name, (kind, made) in factories.items():
        registry.add(Entry(KINDS[kind], name, PLUGIN, made))
    return registry


@pytest.mark.parametrize("declared", [Judge, Modelled])
def test_fields_declare_what_a_factory_declares(declared: Any) -> None:
    table, wanted = (ParameterTable(made, KINDS["evaluator"]) for made in (declared, factory))
    assert sorted(map(vars, table.parameters()), key=str) == sorted(map(vars, wanted.parameters()), key=str)
    assert table.json_schema() == wanted.json_schema()
    for name in ("defaults", "nested", "neutral", "in_duration", "checks"):
        assert getattr(table, name) == getattr(wanted, name), name
    assert table.path_names() == ["file"]
    registry = _registry(one=("evaluator", declared), other=("evaluator", factory))
    one, other = (registry.entries["evaluator"][name] for name in ("one", "other"))
    assert one.summary == other.summary == "Judges."


@pytest.mark.parametrize("declared", [Judge, Modelled])
def test_an_instance_is_the_component_of_a_kind_without_positional_parameters(declared: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("good")
    (tmp_path / "b").write_text("bad")
    registry = _registry(judge=("evaluator", declared))
    component = registry.resolve("evaluator", {"name": "judge", "rate": 1, "many": [4], "file": "a"}, tmp_path)
    assert component.neutral == ("later",)
    assert component.files.keys() == {"file"}
    made = registry.build(Component.from_data(json.loads(json.dumps(component.to_data()))))
    assert type(made) is declared
    assert (made.rate, made.many, made.file) == (1.0, [4], tmp_path / "a")
    with pytest.raises(ParameterProblem, match="it is not good"):
        registry.resolve("evaluator", {"name": "judge", "rate": 1, "file": "b"}, tmp_path)


@pytest.mark.parametrize("declared", [Judge, Modelled])
def test_values_that_the_class_itself_refuses(declared: Any) -> None:
    registry = _registry(judge=("evaluator", declared))
    with pytest.raises(ParameterProblem) as caught:
        registry.resolve("evaluator", {"name": "judge", "rate": 1, "drops": 2}, BASE)
    assert (caught.value.path, caught.value.message) == ((), "evaluator 'judge': many must not have 2 numbers")


def test_a_validator_names_its_field() -> None:
    registry = _registry(judge=("evaluator", Modelled))
    with pytest.raises(ParameterProblem) as caught:
        registry.resolve("evaluator", {"name": "judge", "rate": 1, "mode": "long"}, BASE)
    assert (caught.value.path, caught.value.message) == (("mode",), "evaluator 'judge': 'long' is too long")


@dataclass(frozen=True)
class Wrapped:
    """Wraps."""

    ops: Annotated[list[Any], Components("op")]
    inner: Annotated[Any, OneComponent("augmentation"), AddedLater(None), Field(description="one more")] = None

    def build(self, size: int) -> Any:
        return "wrapped", size, self.ops, self.inner and self.inner(size=size + 1)


class Flip(BaseModel):
    """Flips."""

    p: float = Field(0.5, ge=0, le=1)

    def build(self, size: int) -> Any:
        return "flip", size, self.p


def test_nested_components_and_positional_parameters() -> None:
    registry = _registry(wrapped=("augmentation", Wrapped), flip=("op", Flip))
    value = {"name": "wrapped", "ops": ["flip"], "inner": {"name": "wrapped", "ops": [{"name": "flip", "p": 1}]}}
    component = registry.resolve("augmentation", value, BASE)
    inner = ("wrapped", 29, [("flip", 29, 1.0)], None)
    assert registry.build(component, size=28) == ("wrapped", 28, [("flip", 28, 0.5)], inner)
    assert component.neutral == ()
    assert registry.resolve("augmentation", {"name": "wrapped", "ops": []}, BASE).neutral == ("inner",)
    assert registry.entries["augmentation"]["wrapped"].table.parameters()[1].doc == "one more"
    with pytest.raises(ParameterProblem) as caught:
        registry.resolve("augmentation", {"name": "wrapped", "ops": [{"name": "flip", "p": 2}]}, BASE)
    assert caught.value.path == ("ops", 0, "p")


def test_a_kind_without_positional_parameters_may_have_the_method() -> None:
    @dataclass(frozen=True)
    class Late:
        """Made late."""

        p: int = 1

        def build(self) -> Any:
            return "late", self.p

    registry = _registry(late=("evaluator", Late))
    assert registry.build(registry.resolve("evaluator", {"name": "late", "p": 2}, BASE)) == ("late", 2)


def test_what_refuses_values_when_it_is_made_is_told_in_one_line() -> None:
    @dataclass(frozen=True)
    class Few:
        """Takes few."""

        ops: Annotated[list[Any], Components("op")]

        def __post_init__(self) -> None:
            if len(self.ops) > 1:
                raise ValueError("too\nmany")

        def build(self, size: int) -> Any:
            return size

    registry = _registry(few=("augmentation", Few), flip=("op", Flip))
    component = registry.resolve("augmentation", {"name": "few", "ops": ["flip", "flip"]}, BASE)
    with pytest.raises(PluginError, match="augmentation 'few' of plugin 'mine': too many"):
        registry.build(component, size=1)


def test_what_cannot_be_instantiated_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    @dataclass(frozen=True)
    class Odd:
        """Odd."""

        p: int = 0

        def __post_init__(self) -> None:
            print("looks")
            _ = 1 / self.p

    registry = _registry(odd=("evaluator", Odd))
    with pytest.raises(ParameterProblem, match="evaluator 'odd': ZeroDivisionError: division by zero"):
        registry.resolve("evaluator", "odd", BASE)
    assert capsys.readouterr() == ("", "looks\n")


@pydantic.dataclasses.dataclass(frozen=True)
class Strict:
    """Of pydantic."""

    p: int = Field(1, ge=1, description="how many")
    late: InitVar[list[int]] = Field(default_factory=list)
    derived: int = Field(3, init=False)


def test_a_dataclass_of_pydantic() -> None:
    table = ParameterTable(Strict, KINDS["evaluator"])
    assert [(p.name, p.type, p.default, p.doc) for p in table.parameters()] == [
        ("p", "integer >= 1", "1", "how many"),
        ("late", "list of integer", "[]", ""),
    ]
    assert table.make((), table.typed({"p": 2, "late": [1]})) == Strict(2, [1])


def test_classes_that_were_factories_stay_factories() -> None:
    @dataclass(kw_only=True)
    class Unfrozen:
        """Changes itself."""

        p: int = 1

    @dataclass(frozen=True)
    class Sized:
        """Takes the size as a field."""

        size: int
        _: dataclasses.KW_ONLY
        p: int = 1

    @dataclass(frozen=True)
    class Own(Base):
        """Has an ``__init__`` of its own."""

        def __init__(self, *, q: int = 2) -> None:
            super().__init__(q)

    registry = _registry(one=("evaluator", Unfrozen), sized=("op", Sized), own=("evaluator", Own))
    assert registry.build(registry.resolve("evaluator", {"name": "one", "p": 2}, BASE)) == Unfrozen(p=2)
    assert registry.build(registry.resolve("op", {"name": "sized", "p": 2}, BASE), size=5) == Sized(5, p=2)
    assert registry.build(registry.resolve("evaluator", "own", BASE)).rate == 2


@dataclass
class _Changes:
    p: int = 1


@dataclass(frozen=True)
class _Hidden:
    p: torch.Tensor | None = None


@dataclass(frozen=True)
class _Default:
    p: int = Field(1, ge=1)


@dataclass(frozen=True)
class _Fails:
    p: int = field(default_factory=lambda: int("x"))


@dataclass(frozen=True)
class _WrongDefault:
    p: Annotated[int, Field(ge=1)] = 0


@dataclass(frozen=True)
class _NoJson:
    p: Callable[[], None] = print


@dataclass(frozen=True)
class _Named:
    name: str = "a"


class _Interface:
    needs: ClassVar[str] = "labels"


@dataclass(frozen=True)
class _Hides(_Interface):
    needs: str = "features"


@dataclass(frozen=True)
class _OtherBuild:
    def build(self, width: int) -> None: ...


class _Aliased(BaseModel):
    p: int = Field(1, alias="q")


class _Dependent(BaseModel):
    p: int = 1
    q: int = Field(default_factory=lambda values: values["p"])


@pytest.mark.parametrize(
    ("declared", "kind", "message"),
    [
        (_Changes, "evaluator", "the dataclass must be frozen, .*; write @dataclass(frozen=True)"),
        (_Changes, "op", "a dataclass or pydantic model of op needs a method build(self, size) that returns"),
        (Judge, "method", "needs a method build(self, encoder, context) that returns the component"),
        (Modelled, "op", "a dataclass or pydantic model of op needs a method build(self, size)"),
        (_OtherBuild, "op", "op needs a method build(self, size) .*; 'build' of _OtherBuild is another"),
        (_OtherBuild, "evaluator", "evaluator needs a method build(self) that returns the component; 'build' of"),
        (_Hidden, "evaluator", "name 'torch' is not defined); import it outside 'if TYPE_CHECKING'"),
        (_Default, "evaluator", "parameter 'p' has pydantic's Field(...) for a default; write 'p: Annotated["),
        (_Fails, "evaluator", "the default_factory of parameter 'p' fails: ValueError: invalid literal for int()"),
        (_Dependent, "evaluator", "the default_factory of parameter 'q' fails: TypeError"),
        (_WrongDefault, "evaluator", "the default of parameter 'p': Input should be greater than or equal to 1"),
        (_NoJson, "evaluator", "the default of parameter 'p', <built-in function print>, is nothing that TOML"),
        (_Named, "evaluator", "a parameter cannot be called 'name'"),
        (_Hides, "evaluator", "field 'needs' is an attribute of _Interface, not a parameter; write 'needs: ClassVar"),
        (_Aliased, "evaluator", "field 'p' has an alias; a parameter has the name of its field"),
    ],
)
def test_classes_that_cannot_be_components(declared: Any, kind: str, message: str) -> None:
    with pytest.raises(PluginError) as caught:
        Entry(KINDS[kind], "x", PLUGIN, declared).table  # noqa: B018
    text = str(caught.value)
    assert text.startswith(f"{kind} 'x' of plugin 'mine': ")
    assert all(part in text for part in message.split(".*"))
    assert "\n" not in text


INTEGERS, TEXTS = st.integers(-(2**53), 2**53), st.text(st.characters(codec="utf-8"), max_size=5)
TYPES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, INTEGERS),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (str, TEXTS),
    (bool, st.booleans()),
    (Annotated[int, Field(ge=1, le=9), AddedLater(3)], st.integers(1, 9)),
    (Literal["a", "b"], st.sampled_from("ab")),
    (Path | None, st.sampled_from([None, Path("/d")])),
    (list[int], st.lists(INTEGERS, max_size=3)),
    (tuple[int, ...], st.lists(INTEGERS, max_size=3).map(tuple)),
    (dict[str, str], st.dictionaries(TEXTS, TEXTS, max_size=2)),
]


def _as_factory(types: dict[str, Any], defaults: dict[str, Any]) -> Any:
    """Return the factory, made by Python itself, of keywords with these types and defaults."""
    scope: dict[str, Any] = {"defaults": defaults}
    exec(f"def made(*, {', '.join(f'{name}=defaults[{name!r}]' for name in types)}): return locals()", scope)
    scope["made"].__annotations__ = types
    return scope["made"]


@given(st.data(), st.lists(st.sampled_from(TYPES), min_size=1, max_size=4))
def test_every_form_gives_the_same_schema_defaults_and_key(
    data: st.DataObject, kinds: list[tuple[Any, st.SearchStrategy[Any]]]
) -> None:
    types = {f"p{place}": annotation for place, (annotation, _) in enumerate(kinds)}
    defaults, others = ({f"p{place}": data.draw(drawn) for place, (_, drawn) in enumerate(kinds)} for _ in range(2))
    made = {name: field(default_factory=partial(_same, value)) for name, value in defaults.items()}
    forms = {
        "factory": _as_factory(types, defaults),
        "dataclass": dataclasses.make_dataclass("D", [(n, types[n], made[n]) for n in types], frozen=True),
        "model": create_model("M", **{name: (types[name], defaults[name]) for name in types}),
    }
    chosen = data.draw(st.sets(st.sampled_from(sorted(types))))
    values = {name: json.loads(json.dumps(others[name], default=str)) for name in chosen}

    found = []
    for form in forms.values():
        registry = _registry(x=("evaluator", form))
        table = registry.entries["evaluator"]["x"].table
        component = registry.resolve("evaluator", {"name": "x", **values}, BASE)
        built = registry.build(component)
        got = {name: built[name] if isinstance(built, dict) else getattr(built, name) for name in types}
        found.append((table.json_schema(), table.defaults, component.identity(), got, table.parameters()))

    assert found[0] == found[1] == found[2]
    assert found[0][3] == {name: (others if name in chosen else defaults)[name] for name in types}


def _same(value: Any) -> Any:
    return value
