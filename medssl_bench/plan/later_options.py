"""Keeps options of recipes and comparisons that are added later out of keys while they stand at their defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medssl_bench.plugin.first_options import FIRST_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pydantic import BaseModel


_TOLD_ALONE = {"margin", "holm", "corrupted", "test_on"}
"""Options that decide what is said of results, or what else is computed of them, and no result of a trial."""


def later_options(table: str, model: BaseModel) -> dict[str, Any]:
    """Return every option that a table got later, with its JSON-able value.

    Args:
        table: ``recipe`` or ``comparison``.
        model: the table.
    """
    names = type(model).model_fields.keys() - FIRST_OPTIONS[table] - _TOLD_ALONE
    dumped: dict[str, Any] = model.model_dump(mode="json", include=names)
    return dumped


def with_later(
    decides: Mapping[str, Any], table: str, model: BaseModel, *, told_otherwise: Collection[str] = ()
) -> dict[str, Any]:
    """Return what decides a result with the later options that are not at their defaults, and without the others.

    So no key changes when a table gets an option, whether or not `decides` names it already.

    Args:
        decides: what decides the result, as its stage says.
        table: ``recipe`` or ``comparison``.
        model: the table.
        told_otherwise: options whose effect `decides` tells already, as other options can have the same.
    """
    options = later_options(table, model)
    left_out = set(told_otherwise) | {
        name
        for name in options
        if getattr(model, name) == type(model).model_fields[name].get_default(call_default_factory=True)
    }
    return {name: value for name, value in {**options, **decides}.items() if name not in left_out}
