"""The parameters that a component declares, as its validated and documented TOML table."""

from __future__ import annotations

import json
import typing
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from medssl_bench.errors import PluginError, did_you_mean
from medssl_bench.plugin import docstring
from medssl_bench.plugin.fields import has_fields, instantiate, made_of, of_fields
from medssl_bench.plugin.marks import AddedLater, Components, ForReaders, InDuration, LooksInto, OneComponent, OrElse
from medssl_bench.plugin.parameter_problem import ParameterProblem
from medssl_bench.plugin.signature import of_factory
from medssl_bench.plugin.type_text import type_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from medssl_bench.plugin.kinds import Kind

_NO_SCHEMA = (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError)
"""What pydantic raises at a type that no JSON, and no TOML, can hold, such as a function."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a component, for people: all fields are text but `required`."""

    name: str
    type: str
    default: str
    required: bool
    doc: str


class ParameterTable:
    """The parameters of one component.

    Args:
        factory: function or class whose keyword-only parameters are all typed, or a frozen dataclass or pydantic model,
            whose fields are the parameters.
        kind: the kind of component it makes; says which positional arguments there are.

    Attributes:
        defaults: the JSON-able defaults, by parameter.
        has_fields: whether the parameters are fields of a dataclass or model.
        nested: the parameters that hold components.
        neutral: neutral values of the parameters that were added later.
        for_readers: the parameters that change no result.

    Raises:
        PluginError: the harness cannot make a component of the factory.
    """

    def __init__(self, factory: Callable[..., Any], kind: Kind) -> None:
        self._factory = factory
        self.has_fields = has_fields(factory, kind)
        declared = of_fields(factory, kind) if self.has_fields else of_factory(factory, kind)  # type: ignore[arg-type]
        hints = declared.types
        _check_names(hints)
        if kind.tuned and "tune" in hints:
            raise PluginError(f"a parameter of {kind.name} cannot be called 'tune'; choose another name")
        if missing := [name for name in kind.parameters if name not in hints]:
            raise PluginError(f"the factory of {kind.name} must have a parameter {missing[0]!r}")
        self.nested = {name: nested for name, hint in hints.items() if (nested := _nested(hint))}
        fields: dict[str, Any] = {
            name: (_unchecked(hint) if name in self.nested else hint, declared.defaults.get(name, ...))
            for name, hint in hints.items()
        }
        self.defaults = {name: _json_default(name, default) for name, default in declared.defaults.items()}
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
        self.for_readers = {
            name
            for name, field in self.model.model_fields.items()
            if any(isinstance(marker, ForReaders) for marker in field.metadata)
        }
        self.or_else = {
            name: marker.other
            for name, field in self.model.model_fields.items()
            for marker in field.metadata
            if isinstance(marker, OrElse)
        }
        self.in_duration = {
            name: marker
            for name, field in self.model.model_fields.items()
            for marker in field.metadata
            if isinstance(marker, InDuration)
        }
        self.checks = {
            name: marker
            for name, field in self.model.model_fields.items()
            for marker in field.metadata
            if isinstance(marker, LooksInto)
        }
        self._check_fields()

    @cached_property
    def _docs(self) -> dict[str, str]:
        """What docstrings say of the parameters; read when asked for, as that may need the source."""
        return (docstring.fields if self.has_fields else docstring.arguments)(self._factory)

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
        """Return the parameters in the order in which they are declared."""
        return [
            Parameter(
                name=name,
                type=type_text(field),
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
                raise ParameterProblem((), f"parameter {name!r} is required ({type_text(field)})")
        valid: dict[str, Any] = to_jsonable_python(self.instance({**self.defaults, **values}).model_dump())
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

    def typed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return valid JSON-able values as the types that are declared; nested components are None."""
        found = self.instance({name: None if name in self.nested else value for name, value in values.items()})
        return {name: getattr(found, name) for name in values}

    def make(self, supplies: tuple[Any, ...], values: dict[str, Any]) -> Any:
        """Make the component.

        Args:
            supplies: the positional arguments of its kind.
            values: every parameter, typed, with nested components built.

        Raises:
            Unfit: a dataclass or model refuses the values.
        """
        return made_of(self.instantiate(values), supplies) if self.has_fields else self._factory(*supplies, **values)

    def instantiate(self, values: dict[str, Any]) -> Any:
        """Return an instance of a dataclass or model; arguments and errors as of `make`."""
        return instantiate(self._factory, values)

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


def _check_names(hints: Mapping[str, Any]) -> None:
    for name in hints:
        owned = name.startswith("model_") and hasattr(BaseModel, name)  # by pydantic
        if owned or name == "name" or name.startswith("_"):
            raise PluginError(f"a parameter cannot be called {name!r}; choose another name")


def _unchecked(hint: Any) -> Any:
    """Return the type of a nested component in the table: anything, as it is checked when it is resolved."""
    kept: list[Any] = [Any]
    for item in typing.get_args(hint)[1:]:
        if isinstance(item, AddedLater):
            kept.append(item)
        elif isinstance(item, FieldInfo) and item.description:
            kept.append(Field(description=item.description))
    return Annotated[tuple(kept)] if len(kept) > 1 else Any


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


def _short(value: object) -> str:
    text = "nothing" if value is PydanticUndefined else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


__all__ = [
    "AddedLater",
    "Components",
    "Field",
    "ForReaders",
    "InDuration",
    "LooksInto",
    "OneComponent",
    "OrElse",
    "Parameter",
    "ParameterProblem",
    "ParameterTable",
]
