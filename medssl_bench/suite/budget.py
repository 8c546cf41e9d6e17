"""How many images, and which: label budgets, validation-label budgets and budgets of unlabelled images."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from medssl_bench.errors import did_you_mean

Short = Literal["error", "clip", "skip"]
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%")
_KEYS = ("count", "per_class", "percent", "stratified", "short")

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


@dataclass(frozen=True)
class Budget:
    """How many images of a split are used.

    Attributes:
        unit: ``all``, ``count`` (N images), ``per_class`` (N of each class), ``percent`` or ``none``.
        amount: N, or the percentage in (0, 100]; 0 for ``all`` and ``none``.
        stratified: keep the class proportions (``count`` and ``percent`` only).
        short: what to do when the set is too small: ``error`` refuses the suite, ``clip`` takes all there
            are, ``skip`` leaves the cell out of the table.
    """

    unit: Literal["all", "count", "per_class", "percent", "none"]
    amount: float = 0
    stratified: bool = False
    short: Short = "error"

    @property
    def is_drawn(self) -> bool:
        """Whether chance decides which images these are."""
        return self.unit not in {"all", "none"}

    @property
    def text(self) -> str:
        """The budget as column heads show it: ``100``, ``all``, ``10/class``, ``5%``."""
        amount = _number(self.amount)
        text = {"all": "all", "none": "0", "per_class": f"{amount}/class", "percent": f"{amount}%"}.get(
            self.unit, amount
        )
        return f"{text} stratified" if self.stratified else text

    def images(self, total: int) -> int | None:
        """Return how many images this is of a set of `total`; None for ``per_class``, which depends on the classes.

        Raises:
            ValueError: the set is too small and `short` is ``error``.
        """
        if self.unit == "per_class":
            return None
        if self.unit in {"all", "none"}:
            return total if self.unit == "all" else 0
        if self.unit == "percent":
            return max(1, round(total * self.amount / 100))
        if self.amount > total and self.short == "error":
            raise ValueError(
                f"{_number(self.amount)} images are asked of a set of {total}; ask for fewer, or write "
                f'{{ count = {_number(self.amount)}, short = "clip" }} to take all there are'
            )
        return min(int(self.amount), total)

    def is_skipped(self, total: int) -> bool:
        """Return whether the cell is left out, as the set is too small and `short` is ``skip``."""
        return self.unit == "count" and self.short == "skip" and self.amount > total

    def to_data(self) -> dict[str, Any]:
        """Return the budget as JSON-able data; `short` decides whether there is a result, not which."""
        return {"unit": self.unit, "amount": self.amount, "stratified": self.stratified}


class BudgetError(ValueError):
    """What is wrong with a budget that is written as a table, at one of its keys."""

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        self.key = key


def _number(amount: float) -> str:
    return str(int(amount)) if amount == int(amount) else repr(amount)


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
    units = [key for key in ("count", "per_class", "percent") if key in value]
    if len(units) != 1:
        raise ValueError("a budget's table needs exactly one of count, per_class and percent")
    stratified, short = value.get("stratified", False), value.get("short", "error")
    if not isinstance(stratified, bool):
        raise BudgetError(f"expected true or false, not {stratified!r}", "stratified")
    if short not in ("error", "clip", "skip"):
        raise BudgetError(f"expected 'error', 'clip' or 'skip', not {short!r}", "short")
    if stratified and units[0] == "per_class":
        raise BudgetError("per_class sets the number of each class; it cannot be stratified too", "stratified")
    try:
        return _amount(units[0], value[units[0]], stratified=stratified, short=short)
    except ValueError as error:
        raise BudgetError(str(error), units[0]) from None


def _amount(unit: str, value: object, *, stratified: bool, short: Short) -> Budget:
    if unit == "percent":
        return _percent(value, stratified=stratified, short=short)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"expected a whole number from 1, not {value!r}")
    return Budget("count" if unit == "count" else "per_class", value, stratified, short)
