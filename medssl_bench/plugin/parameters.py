"""The typed keyword parameters of a factory, as the validated and documented TOML table of its component."""

from __future__ import annotations

import functools
import inspect
import json
import types
import typing
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError
from pydantic_core import PydanticUndefined, to_jsonable_python

from medssl_bench.errors import PluginError, did_you_mean
from medssl_bench.plugin import docstring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic.fields import FieldInfo

    from medssl_bench.plugin.kinds import Kind

_NO_SCHEMA = (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError)
"""What pydantic raises at a type that no JSON, and no TOML, can hold, such as a function."""


@dataclass(frozen=True)
class Components:
    """Marks a parameter that is a list of components: ``ops: Annotated[list[Any], Components("op")]``.

    In the suite each item is a name or a table; the factory receives the built components.
    """

    kind: str


@dataclass(frozen=True)
class OneComponent:
    """Marks a parameter that is a component or none: ``augmentation: Annotated[Any, OneComponent("augmentation")]``.

    The factory receives a function that makes the component from the positional arguments of its kind, by name
    (``augmentation(size=28)``), or None.
    """

    kind: str


@dataclass(frozen=True)
class AddedLater:
    """Marks a parameter that a component was given later: ``Annotated[str, AddedLater("none")]``.

    At the neutral value the component does what it did before, bit for bit, so the parameter is not in the
    key, and results made before it existed stay valid.
    """

    neutral: Any


@dataclass(frozen=True)
class InDuration:
    """Marks a parameter of a schedule in the unit of the training's duration: ``Annotated[int, InDuration(least=0)]``.

    ``epochs_scale`` scales it with the duration; `least` is the smallest number that it may become.
    """

    least: int


@dataclass(frozen=True)
class LooksInto:
    """Marks a parameter whose file is looked into when a suite is read: ``Annotated[Path | None, LooksInto(check)]``.

    `check` is called with the file, where there is one, and raises ValueError with what is wrong, in one line. It must
    be quick, and import no torch.
    """

    check: Callable[[Path], None]


@dataclass(frozen=True)
class Parameter:
    """One keyword parameter of a factory, for people: all fields are text but `required`."""

    name: str
    type: str
    default: str
    required: bool
    doc: str


class ParameterProblem(Exception):
    """A value that a factory does not take; `path` leads to it inside the component's table."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


class ParameterTable:
    """The keyword parameters of one factory.

    Args:
        factory: function or class whose keyword-only parameters are all typed.
        kind: the kind of component it makes; says which positional parameters it must take.

    Attributes:
        defaults: the JSON-able defaults, by parameter.

    Raises:
        PluginError: the factory's signature is not one that the harness can call.
    """

    def __init__(self, factory: Callable[..., Any], kind: Kind) -> None:
        self._factory = factory
        keywords = _keywords(factory, kind)
        hints = _hints(factory, keywords)
        self._docs = docstring.arguments(factory)
        self.nested = {name: nested for name, hint in hints.items() if (nested := _nested(hint))}
        fields: dict[str, Any] = {
            name: (hints[name], ... if parameter.default is parameter.empty else parameter.default)
            for name, parameter in keywords.items()
        }
        for name in self.nested:  # checked when the components are resolved
            fields[name] = (Any, fields[name][1])
        self.defaults = {n: _json_default(n, p.default) for n, p in keywords.items() if p.default is not p.empty}
        try:
            with warnings.catch_warnings(action="ignore"):  # that a parameter shares a name with pydantic's methods
                self.model: type[BaseModel] = create_model(
                    "Parameters",
                    __config__=ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=()),
                    **fields,
                )
            self.model.model_json_schema()
        except _NO_SCHEMA as error:
            name = next((name for name, field in fields.items() if not _has_schema(field)), "")
            what = f"parameter {name!r} has a type" if name else "a parameter has a type"
            raise PluginError(f"{what} that TOML cannot hold; use numbers, texts, paths, lists or tables") from error
        except Exception as error:
            raise PluginError(f"its parameters cannot be read: {' '.join(str(error).split())}") from error
        self.neutral = {
            name: to_jsonable_python(marker.neutral)
            for name, field in self.model.model_fields.items()
            for marker in field.metadata
            if isinstance(marker, AddedLater)
        }
        self.in_duration = {
            name: marker.least
            for name, field in self.model.model_fields.items()
            for marker in field.metadata
            if isinstance(marker, InDuration)
        }
        self.checks = {
            name: marker.check
            for name, field in self.model.model_fields.items()
            for marker in field.metadata
            if isinstance(marker, LooksInto)
        }
        self._check_fields()

    def _check_fields(self) -> None:
        """Check the declared parameters, before a suite gives values."""
        for name, field in self.model.model_fields.items():
            if _mentions(field.annotation, Path) and field.annotation not in (Path, Path | None):
                raise PluginError(f"parameter {name!r} must be a Path, or a Path or None, to name files")
        try:
            self.model.model_validate_json(json.dumps(self.defaults))
        except ValidationError as error:
            for details in error.errors(include_url=False):
                if details["type"] != "missing":
                    raise PluginError(f"the default of parameter {details['loc'][0]!r}: {details['msg']}") from None

    def parameters(self) -> list[Parameter]:
        """Return the parameters in the order in which the factory declares them."""
        return [
            Parameter(
                name=name,
                type=_type_text(field),
                default="" if field.is_required() else json.dumps(self.defaults[name]),
                required=field.is_required(),
                doc=self._docs.get(name) or " ".join((field.description or "").split()),
            )
            for name, field in self.model.model_fields.items()
        ]

    def validate(self, values: Mapping[str, Any], base: Path) -> dict[str, Any]:
        """Check the values of a table and fill in defaults.

        Args:
            values: the table, without the component's name.
            base: folder that relative paths start from.

        Returns:
            Every parameter with a JSON-able value; paths are absolute text; lists of components are as given.

        Raises:
            ParameterProblem: a parameter is unknown, missing, or has a value of the wrong type or range.
        """
        fields = self.model.model_fields
        for name in values:
            if name not in fields:
                takes = f"it takes {', '.join(fields)}" if fields else "it takes no parameters"
                raise ParameterProblem((name,), f"unknown parameter{did_you_mean(name, fields)}; {takes}")
        for name, field in fields.items():
            if field.is_required() and name not in values:
                raise ParameterProblem((), f"parameter {name!r} is required ({_type_text(field)})")
        instance = self.instance({**self.defaults, **values})
        valid: dict[str, Any] = to_jsonable_python(instance.model_dump())
        for name in self.path_names():
            if valid[name] is not None:
                try:
                    valid[name] = str((base / Path(valid[name]).expanduser()).resolve())
                except (OSError, RuntimeError, ValueError) as error:  # a null byte, or an unknown user after ~
                    raise ParameterProblem((name,), f"{valid[name]!r} is not a path: {error}") from None
        return valid

    def instance(self, values: Mapping[str, Any]) -> BaseModel:
        """Return the pydantic model of JSON-able values.

        Raises:
            ParameterProblem: a value has the wrong type or range.
        """
        try:
            return self.model.model_validate_json(json.dumps(to_jsonable_python(values)))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = tuple(part for part in first["loc"] if isinstance(part, int) or part in values)
            if first["type"] == "value_error":  # of a validator of the factory's own, which names the value itself
                raise ParameterProblem(path, " ".join(str(first["ctx"]["error"]).split())) from None
            message = f"{first['msg'][:1].lower()}{first['msg'][1:]}"
            raise ParameterProblem(path, f"{message}, not {_short(first['input'])}") from None

    def path_names(self) -> list[str]:
        """Return the names of the parameters that are files or folders."""
        return [name for name, field in self.model.model_fields.items() if _mentions(field.annotation, Path)]

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the table, with the parameters' documentation."""
        schema = self.model.model_json_schema()
        for name, text in self._docs.items():
            if name in schema.get("properties", {}):
                schema["properties"][name]["description"] = text
        return schema


def _keywords(factory: Callable[..., Any], kind: Kind) -> dict[str, inspect.Parameter]:
    """Return the keyword-only parameters of a factory whose positional ones are those of its kind."""
    if not callable(factory):
        raise PluginError(f"{factory!r} is not a function, a class or 'module:attribute'")
    try:
        parameters = list(inspect.signature(factory).parameters.values())
    except (TypeError, ValueError) as error:
        raise PluginError(f"its signature cannot be read: {error}") from error
    positional = tuple(p.name for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD})
    wanted = f"({', '.join((*kind.receives, '*', '...'))})"
    if positional != kind.receives:
        raise PluginError(
            f"the factory of {kind.name} must have the signature {wanted}; this one takes ({', '.join(positional)})"
        )
    keywords = {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY}
    if len(keywords) + len(positional) != len(parameters):
        raise PluginError(f"the factory of {kind.name} must have the signature {wanted}, without *args or **kwargs")
    for parameter in keywords.values():
        owned = parameter.name.startswith("model_") and hasattr(BaseModel, parameter.name)  # by pydantic
        if owned or parameter.name == "name" or parameter.name.startswith("_"):
            raise PluginError(f"a parameter cannot be called {parameter.name!r}; choose another name")
        if parameter.annotation is parameter.empty:
            raise PluginError(f"parameter {parameter.name!r} has no type; write '{parameter.name}: float' or the like")
    return keywords


def _hints(factory: Callable[..., Any], keywords: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """Return the evaluated annotations of the keyword parameters alone.

    The others may name types that are imported for type checkers only.
    """
    function: Any = factory
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function.__init__ if inspect.isclass(function) else function)
    holder = types.SimpleNamespace(__annotations__={n: p.annotation for n, p in keywords.items()})
    try:
        return typing.get_type_hints(holder, globalns=getattr(function, "__globals__", {}), include_extras=True)
    except (NameError, TypeError, SyntaxError, AttributeError) as error:
        raise PluginError(
            f"the type of a parameter cannot be evaluated ({error}); import it outside 'if TYPE_CHECKING'"
        ) from error


def _nested(hint: Any) -> Components | OneComponent | None:
    if typing.get_origin(hint) is not Annotated:
        return None
    return next((item for item in typing.get_args(hint) if isinstance(item, Components | OneComponent)), None)


def _json_default(name: str, default: Any) -> Any:
    """Return a default as JSON-able data."""
    try:
        return to_jsonable_python(default)
    except Exception as error:
        message = f"the default of parameter {name!r}, {_short(default)}, is nothing that TOML can hold"
        raise PluginError(message) from error


def _has_schema(field: tuple[Any, Any]) -> bool:
    """Return whether there is a JSON Schema of one parameter, given its type and its default."""
    try:
        create_model("Parameter", value=field).model_json_schema()
    except _NO_SCHEMA:
        return False
    return True


def _mentions(annotation: Any, wanted: type) -> bool:
    return annotation is wanted or any(_mentions(argument, wanted) for argument in typing.get_args(annotation))


def _type_text(field: FieldInfo) -> str:
    """Return a type as a person would write it: ``0.5 | 1.0``, ``number >= 0``, ``[number, number]``."""
    text = _annotation_text(field.annotation)
    for limit in field.metadata:
        name = type(limit).__name__
        if name in _SIGNS:
            text += f" {_SIGNS[name]} {getattr(limit, name.lower())}"
    return text


_SIGNS = {"Ge": ">=", "Gt": ">", "Le": "<=", "Lt": "<"}


_NAMES: dict[Any, str] = {
    int: "integer",
    float: "number",
    str: "text",
    bool: "true | false",
    Path: "path",
    type(None): "none",
    Any: "any",
}


def _annotation_text(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " | ".join(json.dumps(value) for value in arguments)
    if origin in {typing.Union, types.UnionType}:
        return " | ".join(_annotation_text(argument) for argument in arguments)
    if origin is Annotated:
        return _annotation_text(arguments[0])
    if origin is tuple:
        return f"[{', '.join(_annotation_text(a) for a in arguments if a is not Ellipsis)}]"
    if origin is dict:
        return "table"
    if origin in {list, set, frozenset}:
        return f"list of {_annotation_text(arguments[0])}"
    return _NAMES.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _short(value: object) -> str:
    text = "nothing" if value is PydanticUndefined else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


__all__ = [
    "AddedLater",
    "Components",
    "Field",
    "InDuration",
    "OneComponent",
    "Parameter",
    "ParameterProblem",
    "ParameterTable",
]
