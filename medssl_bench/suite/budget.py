"""Budgets as a suite writes them: of labels, of validation labels and of unlabelled images."""

from __future__ import annotations

import re
from typing import Any

from medssl_bench.datasets.budget import Budget, Short, Unit
from medssl_bench.errors import did_you_mean

_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%")
_UNITS: tuple[Unit, ...] = ("count", "per_class", "groups", "percent")
_KEYS = (*_UNITS, "stratified", "short")

BUDGET_SCHEMA: dict[str, Any] = {
    "description": 'N images, "all", "10%", or a table such as { per_class = 25, short = "clip" }',
    "anyOf": [
        {"type": "integer", "minimum": 0},
        {"const": "all"},
        {"type": "string", "pattern": r"^\d+(\.\d+)? ?%$"},
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "count": {"type": "integer", "minimum": 1, "description": "this many images"},
                "per_class": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "this many images of each class",
                },
                "groups": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "all images of this many groups, such as patients",
                },
                "percent": {
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "maximum": 100,
                    "description": "this share of the images, at least one",
                },
                "stratified": {
                    "type": "boolean",
                    "description": "keep the class proportions (default false)",
                },
                "short": {
                    "enum": ["error", "clip", "skip"],
                    "description": "if the set is too small: refuse (default), take all there are, leave out the cell",
                },
            },
        },
    ],
}


class BudgetError(ValueError):
    """What is wrong with a budget that is written as a table, at one of its keys."""

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        self.key = key


def parse_budget(value: object) -> Budget:
    """Return the budget that a suite writes as N, ``"all"``, ``"10%"`` or a table.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, Budget):
        return value
    if isinstance(value, bool) or not isinstance(value, int | str | dict):
        raise ValueError(f'{value!r} is not a budget; give N, "all", "10%" or {{ per_class = N }}')
    if isinstance(value, int):
        return _count(value)
    if isinstance(value, str):
        return _text(value)
    return _table(value)


def parse_positive_budget(value: object) -> Budget:
    """Return a budget of at least one image.

    Raises:
        ValueError: it is not a budget, or is 0.
    """
    budget = parse_budget(value)
    if budget.unit == "none":
        raise ValueError("at least one image is needed; give N from 1")
    return budget


def _count(value: int) -> Budget:
    if value < 0:
        raise ValueError(f"{value} images cannot be drawn; give N from 0")
    return Budget("count", value) if value else Budget("none")


def _text(value: str) -> Budget:
    if value == "all":
        return Budget("all")
    match = _PERCENT.fullmatch(value)
    if not match:
        raise ValueError(f'{value!r} is not a budget; give N, "all" or "10%"')
    return _percent(float(match[1]))


def _percent(value: object, *, stratified: bool = False, short: Short = "error") -> Budget:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 100:
        raise ValueError(f"{value!r} is not a percentage above 0 and up to 100")
    return Budget("percent", float(value), stratified, short)


def _table(value: dict[str, Any]) -> Budget:
    for key in value:
        if key not in _KEYS:
            raise BudgetError(f"unknown key{did_you_mean(key, _KEYS) or '; a budget takes ' + ', '.join(_KEYS)}", key)
    units: list[Unit] = [key for key in _UNITS if key in value]
    if len(units) != 1:
        raise ValueError("a budget's table needs exactly one of count, per_class, groups and percent")
    stratified, short = value.get("stratified", False), value.get("short", "error")
    if not isinstance(stratified, bool):
        raise BudgetError(f"expected true or false, not {stratified!r}", "stratified")
    if short not in ("error", "clip", "skip"):
        raise BudgetError(f"expected 'error', 'clip' or 'skip', not {short!r}", "short")
    if stratified and units[0] == "per_class":
        raise BudgetError("per_class sets the number of each class; it cannot be stratified too", "stratified")
    if stratified and units[0] == "groups":
        raise BudgetError("the images of whole groups are drawn; they cannot be stratified too", "stratified")
    try:
        return _amount(units[0], value[units[0]], stratified=stratified, short=short)
    except ValueError as error:
        raise BudgetError(str(error), units[0]) from None


def _amount(unit: Unit, value: object, *, stratified: bool, short: Short) -> Budget:
    if unit == "percent":
        return _percent(value, stratified=stratified, short=short)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"expected a whole number from 1, not {value!r}")
    return Budget(unit, value, stratified, short)
