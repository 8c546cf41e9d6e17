"""The type of a parameter as a person would write it."""

from __future__ import annotations

import json
import types
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

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


def type_text(field: FieldInfo) -> str:
    """Return the type of a field: ``0.5 | 1.0``, ``number >= 0``, ``[number, number]``."""
    text = _annotation_text(field.annotation)
    for limit in field.metadata:
        name = type(limit).__name__
        if name in _SIGNS:
            text += f" {_SIGNS[name]} {getattr(limit, name.lower())}"
    return text


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
