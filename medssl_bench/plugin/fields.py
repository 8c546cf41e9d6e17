"""What a frozen dataclass or a pydantic model declares: its fields are the parameters of the component."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
import typing
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo

from medssl_bench.errors import PluginError
from medssl_bench.plugin.declaration import Declaration, no_such_type
from medssl_bench.plugin.signature import fits, positional
from medssl_bench.stopping import Stopped, is_stop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from medssl_bench.plugin.kinds import Kind

METHOD = "build"
"""The method that makes the component of an instance and the positional arguments of its kind."""


class Unfit(Exception):
    """Values that an instance refuses; `field` is the one that it names, or an empty string."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message, self.field = message, field


def has_fields(factory: Any, kind: Kind) -> bool:
    """Return whether the fields of a class are the parameters of a component of a kind.

    They are those of a frozen dataclass and of a pydantic model. One that has the signature of a factory of the kind,
    positional parameters included, is a factory like any other class.

    Raises:
        PluginError: it is such a class, and the harness cannot make a component of it.
    """
    if not inspect.isclass(factory) or not (issubclass(factory, BaseModel) or _is_dataclass(factory)):
        return False
    aliased = [name for name, field in _pydantic_fields(factory).items() if field.alias or field.validation_alias]
    if aliased:
        raise PluginError(f"field {aliased[0]!r} has an alias; a parameter has the name of its field")
    if not set(inspect.signature(factory).parameters) <= _names(factory):  # it has an __init__ of its own
        return False
    if not hasattr(factory, METHOD) and kind.receives:
        if fits(factory, kind):
            return False
        raise PluginError(f"a dataclass or pydantic model of {kind.name} needs a method {_wanted(kind)}")
    if _is_dataclass(factory) and not vars(_initialised(factory))["__dataclass_params__"].frozen:
        if fits(factory, kind):
            return False
        raise PluginError("the dataclass must be frozen, as its fields are in the key; write @dataclass(frozen=True)")
    return True


def _is_dataclass(cls: type) -> bool:
    """Return whether ``__init__`` is that of a dataclass, which the class is itself or has for a base class."""
    return "__dataclass_params__" in vars(_initialised(cls))


def _initialised(cls: type) -> type:
    """Return the class that has the ``__init__`` of a class: itself, or a base class."""
    return next(base for base in cls.__mro__ if "__init__" in vars(base))


def of_fields(cls: type, kind: Kind) -> Declaration:
    """Return what the fields of a class declare.

    Raises:
        PluginError: a field cannot be a parameter, or the method ``build`` has another signature.
    """
    _check_method(cls, kind)
    names = list(inspect.signature(cls).parameters)
    for name in names:
        _check_name(cls, name)
    of_pydantic = _pydantic_fields(cls)
    declared: Mapping[str, FieldInfo | dataclasses.Field[Any]] = of_pydantic or _dataclass_fields(cls)
    hints = {name: _typed(field) for name, field in of_pydantic.items()} if of_pydantic else _hints(cls, names)
    defaults = {name: _default(name, declared[name]) for name in names if not _is_required(declared[name])}
    return Declaration({name: hints[name] for name in names}, defaults)


def instantiate(cls: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    """Return an instance of a class with fields.

    Raises:
        Unfit: ``__post_init__`` or a validator refuses the values.
    """
    try:
        with redirect_stdout(sys.stderr):
            return cls(**values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        of_its_own = first["type"] in {"value_error", "assertion_error"}  # which says itself what is wrong
        message = str(first["ctx"]["error"]) if of_its_own else first["msg"]
        raise Unfit(" ".join(message.split()), str(next(iter(first["loc"]), ""))) from error
    except Exception as error:
        if is_stop(error):
            raise Stopped from error
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        raise Unfit(f"{kind}{' '.join(str(error).split())}" or type(error).__name__) from error


def made_of(found: Any, supplies: tuple[Any, ...]) -> Any:
    """Return the component of an instance: what its method ``build`` gives, or itself."""
    return getattr(found, METHOD)(*supplies) if hasattr(found, METHOD) else found


def _wanted(kind: Kind) -> str:
    return f"{METHOD}({', '.join(('self', *kind.receives))}) that returns the component"


def _check_method(cls: type, kind: Kind) -> None:
    method = inspect.getattr_static(cls, METHOD, None)
    if method is None:
        return
    if inspect.isfunction(method):
        parameters = list(inspect.signature(method).parameters.values())
        if positional(parameters)[1:] == kind.receives and len(parameters) == len(kind.receives) + 1:
            return
    raise PluginError(f"{kind.name} needs a method {_wanted(kind)}; {METHOD!r} of {cls.__name__} is another")


def _check_name(cls: type, name: str) -> None:
    """Refuse a field that hides an attribute which a base class declares, such as `Evaluator.needs`."""
    for base in cls.__mro__[1:]:
        if "ClassVar" in str(inspect.get_annotations(base).get(name, "")):
            raise PluginError(
                f"field {name!r} is an attribute of {base.__name__}, not a parameter; "
                f"write '{name}: ClassVar[...] = ...'"
            )


def _names(cls: type) -> set[str]:
    return {*_pydantic_fields(cls), *_dataclass_fields(cls)}


def _pydantic_fields(cls: type) -> Mapping[str, FieldInfo]:
    """Return the fields of a pydantic model or of a pydantic dataclass."""
    if issubclass(cls, BaseModel):
        return cls.model_fields
    found: Mapping[str, FieldInfo] = getattr(cls, "__pydantic_fields__", {})
    return found


def _dataclass_fields(cls: type) -> Mapping[str, dataclasses.Field[Any]]:
    """Return the fields of a dataclass, those that only ``__post_init__`` receives (InitVar) included."""
    found: Mapping[str, dataclasses.Field[Any]] = getattr(cls, "__dataclass_fields__", {})
    return found


def _typed(field: FieldInfo) -> Any:
    """Return the type of a pydantic field with its limits, marks and description."""
    annotation = field.rebuild_annotation()
    return Annotated[annotation, Field(description=field.description)] if field.description else annotation


def _hints(cls: type, names: list[str]) -> dict[str, Any]:
    """Return the evaluated types of these fields alone, each in the module of the class that declares it."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        own = {name: hint for name, hint in inspect.get_annotations(base).items() if name in names}
        scope = vars(sys.modules.get(base.__module__, types.ModuleType("")))
        with no_such_type():
            found |= typing.get_type_hints(types.SimpleNamespace(__annotations__=own), scope, include_extras=True)
    return {name: hint.type if isinstance(hint, dataclasses.InitVar) else hint for name, hint in found.items()}


def _is_required(field: FieldInfo | dataclasses.Field[Any]) -> bool:
    if isinstance(field, FieldInfo):
        return field.is_required()
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _default(name: str, field: FieldInfo | dataclasses.Field[Any]) -> Any:
    if isinstance(field, FieldInfo):
        make = field.default_factory
    else:
        make = None if field.default_factory is dataclasses.MISSING else field.default_factory
    if make is not None:
        try:
            return make()  # type: ignore[call-arg] # one that takes the other values is refused
        except Exception as error:
            what = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise PluginError(f"the default_factory of parameter {name!r} fails: {what}") from error
    if isinstance(field.default, FieldInfo):  # a dataclass of the standard library takes it for the default itself
        raise PluginError(
            f"parameter {name!r} has pydantic's Field(...) for a default; "
            f"write '{name}: Annotated[float, Field(...)] = ...' or the like"
        )
    return field.default
